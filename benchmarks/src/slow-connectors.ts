import { startFixtureHttp, stdioMainPath } from "@cortex-os/fixture-server";
import type { JsonObject } from "@cortex-os/mcp-core/wire";

/** How the upstreams of a start are reached. */
export type UpstreamTransport = "HTTP" | "stdio";

/** Upstreams that take their time to list. */
export interface SlowConnectorsOptions {
  readonly transport: UpstreamTransport;
  readonly connectors: number;
  /** How long each takes to list its tools, in milliseconds. */
  readonly listDelayMs: number;
  /** Tools of each, beside the fixture's own. @default 0 */
  readonly extraTools?: number;
}

/** A gateway's connectors, ready to be configured. */
export interface SlowConnectors {
  readonly keys: readonly string[];
  /** The entry of each in the registry. */
  readonly entries: readonly JsonObject[];
}

/** Does `work` while the upstreams are there: over HTTP they are servers in this process, over stdio the gateway starts them. */
export async function withSlowConnectors<T>(
  { transport, connectors, listDelayMs, extraTools = 0 }: SlowConnectorsOptions,
  work: (connectors: SlowConnectors) => Promise<T>,
): Promise<T> {
  const keys = Array.from({ length: connectors }, (_, at) => `connector${at}`);
  if (transport === "stdio") {
    const args = [stdioMainPath, "--list-delay-ms", String(listDelayMs), "--tools", String(extraTools)];
    return work({
      keys,
      entries: keys.map((name) => ({ name, transport: "stdio", command: process.execPath, args })),
    });
  }
  const servers = await Promise.all(keys.map(async () => startFixtureHttp({ listDelayMs, extraTools })));
  try {
    const entries = servers.map(({ url }, at) => ({ name: keys[at] ?? "", transport: "http", endpoint: url }));
    return await work({ keys, entries });
  } finally {
    await Promise.all(servers.map(async (server) => server.close()));
  }
}
