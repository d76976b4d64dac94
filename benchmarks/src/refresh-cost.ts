import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { Comparison } from "./comparison.js";
import { compareWays } from "./compare-ways.js";
import { echoCall } from "./echo-call.js";
import { connectorId, mapManifest } from "./map-manifest.js";
import type { OnRound } from "./on-round.js";
import { appPath, fixturePath } from "./program-paths.js";
import { newSignatureKey } from "./published-map.js";
import { withServers } from "./server-process.js";
import { measureWays, type Way, type WaysOptions } from "./ways.js";

/** {@link WaysOptions}, and the service map that is followed. */
export interface RefreshCostOptions extends WaysOptions {
  /** Connectors in the map; all are up. */
  readonly connectors: number;
}

const EVERY_MS = 100;
/** The publisher signs anew at half of it: of five refreshes one brings a new map, which is verified, stored and applied, and four a 304. */
const TTL_SECONDS = 1;

/**
 * What a refresh costs the calls under way: one gateway that follows a signed map every 100 ms, three thousand times as often as by default, against one that
 * follows it only when asked. Publisher, gateways and upstream are processes of their own.
 */
export async function measureRefreshCost(options: RefreshCostOptions, onRound: OnRound): Promise<Comparison[]> {
  return withServers(async ({ folder, start }) => {
    const secret = { CONNECTORS_SIGNATURE_KEY: newSignatureKey() };
    const upstream = await start([fixturePath, "--port", "0"]);
    const endpoints = Array.from({ length: options.connectors }, (_, at) => `${upstream.url}?connector=${at}`);
    const manifest = path.join(folder, "manifest.json");
    await writeFile(manifest, JSON.stringify(mapManifest(endpoints, TTL_SECONDS)));
    const publisher = await start([appPath, "map", "serve", manifest, "--port", "0"], secret);
    const follow = async (name: string, env: NodeJS.ProcessEnv): Promise<Way> => {
      const home = { CORTEX_HOME: path.join(folder, name), CONNECTORS_SERVICE_MAP_URL: publisher.url };
      const { url, pid } = await start([appPath, "serve", "--port", "0"], { ...secret, ...home, ...env });
      return { name, target: echoCall(url, `${connectorId(0)}__echo`), pid, heldMeanwhile: true };
    };
    const off = await follow("refresh off", { MCP_CONNECTOR_REFRESH_SYNC: "true" });
    const on = await follow(`refresh every ${EVERY_MS} ms`, {
      MCP_CONNECTOR_REFRESH_INTERVAL_MS: String(EVERY_MS),
    });
    const measurements = await measureWays([off, on], options, onRound);
    return compareWays(measurements, {
      benchmark: "refresh",
      load: `tool calls while a map of ${options.connectors} connectors is followed`,
      baseline: off.name,
      optimised: on.name,
    });
  });
}
