import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { RegistryMemoryCache, verifyRegistry } from "@cortex-os/mcp-registry";
import { withTemporaryFolder } from "./temporary-folder.js";

const LINE_BYTES = 300;

/** A registry that is measured: real files, which nobody writes but who measures. */
export interface RegistrySubject {
  readonly folder: string;
  readonly registryPath: string;
  readonly size: number;
  readonly cache: RegistryMemoryCache;
  /** Changes one server after the other. */
  readonly change: () => void;
  /** What `servers.json` holds. */
  readonly bytes: () => Promise<Buffer>;
}

/**
 * Does `work` with a registry of `size` servers.
 *
 * @throws Error when the files do not hold afterwards what was changed
 */
export async function withRegistry<T>(size: number, work: (subject: RegistrySubject) => Promise<T>): Promise<T> {
  return withTemporaryFolder(async (folder) => {
    const registryPath = path.join(folder, "servers.json");
    const servers = Array.from({ length: size }, (_, at) => serverAt(at, 0));
    await writeFile(registryPath, JSON.stringify({ servers }), { mode: 0o600 });
    const cache = new RegistryMemoryCache({ registryPath, flushIntervalMs: Number.POSITIVE_INFINITY });
    await cache.init();
    let edition = 0;
    const change = (): void => {
      edition++;
      cache.upsert(serverAt(edition % size, edition));
    };
    const bytes = async (): Promise<Buffer> => readFile(registryPath);
    const found = await work({ folder, registryPath, size, cache, change, bytes });
    await cache.close();
    check(registryPath, size, edition);
    return found;
  });
}

/** A server like any other; `edition` tells one state of it from the next. */
export const serverAt = (at: number, edition: number): ServerInfo => ({
  name: `server-${at}`,
  transport: "http",
  endpoint: `https://server-${at}.example/mcp?edition=${edition}`,
});

/** A line as long as what a change of such a server writes into the journal. */
export const lineAt = (at: number): string =>
  `${JSON.stringify([serverAt(at, at), serverAt(at, at + 1)]).padEnd(LINE_BYTES - 1)}\n`;

function check(registryPath: string, size: number, edition: number): void {
  const { servers, findings } = verifyRegistry(registryPath);
  const isWritten = servers.some(({ endpoint }) => endpoint?.endsWith(`edition=${edition}`));
  if (servers.length !== size || !isWritten) throw new Error("the registry does not hold what was changed");
  if (findings.length > 0) throw new Error(`the registry is not as it should be: ${findings[0]?.text ?? ""}`);
}
