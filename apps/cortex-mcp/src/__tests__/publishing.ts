import { writeFile } from "node:fs/promises";
import path from "node:path";
import { silentLogger, systemClock, systemTimers } from "@cortex-os/mcp-core";
import { generateKeySet, serveServiceMap, signingKeyFromJwks, type SigningKey } from "@cortex-os/protocol";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "./test-io.js";

/** An HMAC key for tests; it must never be seen in any output. */
export const CANARY_KEY = "canary-signature-key-of-more-than-32-bytes";
/** An API key for tests; it must never be seen in any output. */
export const CANARY_API_KEY = "canary-api-key";

/** A service map that is really published, until the test is over. */
export interface Published {
  readonly url: string;
  /** Puts other connectors in the map, with immediate effect. */
  readonly publish: (connectors: readonly unknown[], ttlSeconds?: number) => Promise<void>;
  /** Signs with another key from now on. */
  readonly signWith: (key: SigningKey) => Promise<void>;
  /** The publisher goes away. */
  readonly close: () => Promise<void>;
  /** The environment of a gateway that follows it. */
  readonly env: Readonly<Record<string, string>>;
}

/** One entry of a map. */
export const connector = (id: string, endpoint: string, more: object = {}): object => ({
  id,
  version: "1.0.0",
  name: `The ${id} connector`,
  endpoint,
  auth: { type: "none" },
  scopes: ["tools"],
  status: "enabled",
  ttlSeconds: 300,
  ...more,
});

/** Publishes a map of these connectors, signed with {@link CANARY_KEY} unless told otherwise, on a free port. */
export async function publishing(
  connectors: readonly unknown[],
  options: { readonly key?: SigningKey; readonly ttlSeconds?: number; readonly apiKey?: string } = {},
): Promise<Published> {
  const manifestFile = path.join(await temporaryFolder(), "manifest.json");
  const write = (entries: readonly unknown[], ttlSeconds = 300): Promise<void> =>
    writeFile(manifestFile, JSON.stringify({ brand: "brAInwav", ttlSeconds, connectors: entries }));
  await write(connectors, options.ttlSeconds);
  let { key = { key: CANARY_KEY } } = options;
  const { apiKey } = options;
  const served = await serveServiceMap({
    ...{ manifestFile, key: () => key, clock: systemClock, timers: systemTimers, logger: silentLogger },
    ...(apiKey === undefined ? {} : { apiKey }),
  });
  onTestFinished(() => served.close());
  return {
    url: served.url,
    publish: async (entries, ttlSeconds) => {
      await write(entries, ttlSeconds ?? options.ttlSeconds);
      await served.reload();
    },
    signWith: async (next) => {
      key = next;
      await served.reload();
    },
    close: () => served.close(),
    env: {
      CONNECTORS_SERVICE_MAP_URL: served.url,
      CONNECTORS_SIGNATURE_KEY: CANARY_KEY,
      MCP_CONNECTOR_REFRESH_INTERVAL_MS: "100",
    },
  };
}

/** A fresh Ed25519 key: what a publisher signs with, and the set for its gateways. */
export function ed25519(kid: string): { readonly signing: SigningKey; readonly publicKeys: readonly unknown[] } {
  const { privateJwks, publicJwks } = generateKeySet({ kind: "ed25519", kid });
  return { signing: signingKeyFromJwks(privateJwks), publicKeys: publicJwks.keys };
}
