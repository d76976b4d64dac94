import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { silentLogger, systemClock, systemTimers } from "@cortex-os/mcp-core";
import { serveServiceMap } from "@cortex-os/protocol";
import { mapManifest } from "./map-manifest.js";
import { withTemporaryFolder } from "./temporary-folder.js";

/** A signed service map that is published on loopback, in this process. */
export interface PublishedMap {
  readonly url: string;
  /** The HMAC key it is signed with. */
  readonly signatureKey: string;
  /** Publishes another map, newly signed, with the very same connectors. */
  renew(): Promise<void>;
}

/** Does `work` while the publisher of the product publishes a map with a connector for each endpoint. */
export async function withPublishedMap<T>(
  endpoints: readonly string[],
  work: (map: PublishedMap) => Promise<T>,
): Promise<T> {
  return withTemporaryFolder(async (folder) => {
    const manifestFile = path.join(folder, "manifest.json");
    const signatureKey = newSignatureKey();
    let edition = 0;
    const write = async (): Promise<void> => {
      await writeFile(manifestFile, JSON.stringify(mapManifest(endpoints, 300, edition++)));
    };
    await write();
    const served = await serveServiceMap({
      ...{ manifestFile, clock: systemClock, timers: systemTimers, logger: silentLogger },
      key: () => ({ key: signatureKey }),
    });
    const renew = async (): Promise<void> => {
      await write();
      await served.reload();
    };
    try {
      return await work({ url: served.url, signatureKey, renew });
    } finally {
      await served.close();
    }
  });
}

/** A fresh HMAC key as `CONNECTORS_SIGNATURE_KEY` has it. */
export const newSignatureKey = (): string => randomBytes(32).toString("base64url");
