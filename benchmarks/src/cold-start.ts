import { startFixtureHttp } from "@cortex-os/fixture-server";
import { ConnectorProxyManager, type StartWidth } from "@cortex-os/mcp";
import { silentLogger } from "@cortex-os/mcp-core";
import { pairUp, type Comparison } from "./comparison.js";
import type { OnRound } from "./on-round.js";
import { withPublishedMap, type PublishedMap } from "./published-map.js";

/** How many connectors of which slowness, and how often. */
export interface ColdStartOptions {
  readonly connectors: number;
  /** How long each connector takes to list its tools, in milliseconds. */
  readonly listDelayMs: number;
  readonly rounds: number;
}

interface Width {
  readonly is: string;
  readonly concurrency: StartWidth;
  readonly tookMs: number[];
}

/**
 * From nothing to every tool of every connector: a `ConnectorProxyManager` fetches and verifies a signed map and starts its connectors, one after the
 * other, four at a time (the default), all at once, and as many at a time as is of use. Publisher and connectors are real servers on loopback, in this process.
 *
 * @throws Error when a start ends without all tools
 */
export async function measureColdStart(options: ColdStartOptions, onRound: OnRound): Promise<Comparison[]> {
  const { connectors, listDelayMs, rounds } = options;
  const one: Width = { is: "one at a time", concurrency: 1, tookMs: [] };
  const four: Width = { is: "four at a time (the default)", concurrency: 4, tookMs: [] };
  const all: Width = { is: "all at once", concurrency: connectors, tookMs: [] };
  const adaptive: Width = { is: "adaptive", concurrency: "adaptive", tookMs: [] };
  const widths = [one, four, all, adaptive];
  const servers = await Promise.all(Array.from({ length: connectors }, async () => startFixtureHttp({ listDelayMs })));
  try {
    await withPublishedMap(
      servers.map(({ url }) => url),
      async (map) => {
        for (let round = 0; round < rounds; round++) {
          // The widths take turns at being first, so that what drifts within a round hits each of them.
          const order = round % 2 === 0 ? widths : widths.toReversed();
          for (const width of order) width.tookMs.push(await startOnce(map, width.concurrency, connectors));
          onRound(round + 1, rounds);
        }
      },
    );
  } finally {
    await Promise.all(servers.map(async (server) => server.close()));
  }
  const measure = `${connectors} connectors of ${listDelayMs} ms`;
  return [four, all, adaptive].map(({ is, tookMs }) => ({
    benchmark: "cold start",
    measure: `${measure}, ${is}`,
    unit: "ms",
    is: { baseline: one.is, optimised: is },
    rounds: pairUp(one.tookMs, tookMs),
  }));
}

async function startOnce(map: PublishedMap, concurrency: StartWidth, connectors: number): Promise<number> {
  const withTools = new Set<string>();
  const beforeMs = performance.now();
  const manager = new ConnectorProxyManager({
    serviceMapUrl: map.url,
    signatureKey: map.signatureKey,
    connectorsApiKey: "",
    registry: { registerTool: ({ metadata }) => withTools.add(metadata.connectorId) },
    logger: silentLogger,
    concurrency,
  });
  try {
    await manager.sync();
    const tookMs = performance.now() - beforeMs;
    if (withTools.size === connectors) return tookMs;
  } finally {
    await manager.disconnect();
  }
  throw new Error(`only ${withTools.size} of ${connectors} connectors started`);
}
