import { startFixtureHttp, type FixtureHttp } from "@cortex-os/fixture-server";
import { ConnectorProxyManager } from "@cortex-os/mcp";
import { silentLogger } from "@cortex-os/mcp-core";
import { pairUp, type Comparison } from "./comparison.js";
import type { OnRound } from "./on-round.js";
import { withPublishedMap, type PublishedMap } from "./published-map.js";
import { median } from "./statistics.js";

/** How many connectors stay as they are, and how often. */
export interface MapRefreshOptions {
  /** Numbers of connectors. */
  readonly sizes: readonly number[];
  readonly rounds: number;
  /** Refreshes of each kind in a round. */
  readonly refreshes: number;
}

/**
 * What a refresh costs that changes nothing, with every connector up: a map that was only signed anew (fetched, verified, every connector compared) against a
 * 304 (the map at hand is verified with the keys of now). Over HTTP on loopback, publisher and connectors in this process.
 *
 * @throws Error when not all connectors come up, or a refresh makes one connect again: then something else would be measured
 */
export async function measureMapRefresh(options: MapRefreshOptions, onRound: OnRound): Promise<Comparison[]> {
  const { sizes, rounds } = options;
  const comparisons: Comparison[] = [];
  for (const [at, size] of sizes.entries()) {
    const server = await startFixtureHttp({ jsonOnly: true });
    try {
      const endpoints = Array.from({ length: size }, (_, connector) => `${server.url}?connector=${connector}`);
      const onOwnRound = (done: number): void => {
        onRound(at * rounds + done, sizes.length * rounds);
      };
      comparisons.push(
        await withPublishedMap(endpoints, async (map) => measureSize({ map, server, size }, options, onOwnRound)),
      );
    } finally {
      await server.close();
    }
  }
  return comparisons;
}

interface Subject {
  readonly map: PublishedMap;
  readonly server: FixtureHttp;
  readonly size: number;
}

async function measureSize(
  { map, server, size }: Subject,
  { rounds, refreshes }: MapRefreshOptions,
  onRound: (done: number) => void,
): Promise<Comparison> {
  const withTools = new Set<string>();
  const manager = new ConnectorProxyManager({
    serviceMapUrl: map.url,
    signatureKey: map.signatureKey,
    connectorsApiKey: "",
    registry: { registerTool: ({ metadata }) => withTools.add(metadata.connectorId) },
    logger: silentLogger,
  });
  const renewedMicros: number[] = [];
  const confirmedMicros: number[] = [];
  try {
    await manager.sync();
    if (withTools.size !== size) throw new Error(`only ${withTools.size} of ${size} connectors started`);
    const connected = server.requests.total;
    // The first round warms up.
    for (let round = 0; round <= rounds; round++) {
      const [renewed, confirmed] = await refreshesOf(manager, map, refreshes);
      if (round === 0) continue;
      renewedMicros.push(median(renewed));
      confirmedMicros.push(median(confirmed));
      onRound(round);
    }
    if (server.requests.total !== connected) throw new Error("a refresh without a change reached the connectors");
  } finally {
    await manager.disconnect();
  }
  return {
    benchmark: "service map",
    measure: `refresh that changes none of ${size} connectors`,
    unit: "µs",
    is: { baseline: "a map signed anew", optimised: "a 304" },
    rounds: pairUp(renewedMicros, confirmedMicros),
  };
}

async function refreshesOf(manager: ConnectorProxyManager, map: PublishedMap, count: number) {
  const renewed: number[] = [];
  const confirmed: number[] = [];
  for (let refresh = 0; refresh < count; refresh++) {
    await map.renew();
    renewed.push(await microsOf(manager));
    confirmed.push(await microsOf(manager));
  }
  return [renewed, confirmed] as const;
}

async function microsOf(manager: ConnectorProxyManager): Promise<number> {
  const beforeMs = performance.now();
  await manager.sync(true);
  return (performance.now() - beforeMs) * 1_000;
}
