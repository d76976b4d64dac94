import type { KnownMap, MapDiff, MapOperation, MapOperationResult } from "@cortex-os/mcp";
import { LONGEST_DELAY_MS, silentLogger } from "@cortex-os/mcp-core";
import { loadConfig } from "../config/load.js";
import { ConfigSchema, type Config } from "../config/schema.js";
import type { Io } from "../io.js";
import { followMap } from "../service-map/follow-map.js";
import { keptTrouble } from "../service-map/kept-trouble.js";
import { findRunningGateway } from "../state/running-gateway.js";
import { statePaths } from "../state/state-paths.js";
import { userError } from "../user-error.js";
import { CallError } from "./call-error.js";
import { ControlClient } from "./control-client.js";
import { refreshOf, type MapRefresh } from "./map-refresh.js";

/** The service maps of a home as the commands use them, whether a gateway runs or not. */
export interface MapAccess {
  /** Those that are kept: the held one, the one accepted last, those before it. */
  known(): Promise<readonly KnownMap[]>;
  /** What the held one would change or, with none held, what the last one changed. */
  diff(): Promise<MapDiff>;
  operate(operation: MapOperation): Promise<MapOperationResult>;
  /**
   * Asks the publisher now.
   * @throws what says why there is no newer one, with the code SERVICE_MAP
   */
  refresh(): Promise<MapRefresh>;
}

/** What a fetch takes beside the publisher's time, in milliseconds: reading the keys, and storing the map under its lock. */
const AROUND_A_FETCH_MS = 15_000;

/**
 * Runs `task` with the service maps of the gateway of this home; with none running, with what is kept on disk. Fetches nothing but on {@link MapAccess.refresh}.
 *
 * @throws GatewayError USER_INPUT when no service map is configured, or without a usable key
 */
export async function withMap<T>(io: Io, task: (map: MapAccess) => Promise<T>): Promise<T> {
  const paths = statePaths(io.env);
  const running = await findRunningGateway(paths);
  if (running !== undefined) {
    const client = new ControlClient(running, io.system.timers);
    return task({
      known: async () => (await client.map()).known,
      diff: () => client.mapDiff(),
      operate: (operation) => client.operateMap(operation),
      refresh: async () => refreshThrough(client, await patienceMs(io)),
    });
  }
  const config = await configOf(io);
  const map = await followMap({ io, paths, config, logger: silentLogger, onDemand: true });
  if (map === undefined) {
    throw userError("no service map is configured: set CONNECTORS_SERVICE_MAP_URL, or serviceMap.url in config.json");
  }
  const { follower, source } = map;
  try {
    await follower.load();
    if (follower.known.length === 0) await warnOfTrouble(io, paths.serviceMap);
    return await task({
      known: async () => follower.known,
      diff: async () => {
        if (follower.diff !== undefined) return follower.diff;
        throw userError("there is no service map yet, so nothing to compare; cortex-mcp map refresh fetches one");
      },
      operate: (operation) => follower.operate(operation),
      refresh: async () => {
        const before = follower.known;
        await follower.refresh();
        return refreshOf(before, { known: follower.known, status: follower.status() });
      },
    });
  } finally {
    await source.close();
  }
}

async function refreshThrough(client: ControlClient, withinMs: number): Promise<MapRefresh> {
  const { known } = await client.map();
  const { serviceMap } = await client.refreshMap(withinMs);
  // The gateway serves what it has, and so takes a refresh that failed for done.
  if (serviceMap?.lastError !== undefined) throw new CallError("SERVICE_MAP", serviceMap.lastError);
  return refreshOf(known, await client.map());
}

/** How long the gateway may take: by the configuration of this home, as far as this command can read it. What the gateway makes of it is its own business. */
async function patienceMs(io: Io): Promise<number> {
  const { serviceMap } = await configOf(io).catch(() => ConfigSchema.parse({}));
  return Math.min(serviceMap.timeoutMs + AROUND_A_FETCH_MS, LONGEST_DELAY_MS);
}

function configOf(io: Io): Promise<Config> {
  const { config: file } = statePaths(io.env);
  return loadConfig({ file, fileRequired: false, env: io.env, cwd: io.cwd, flags: {} });
}

async function warnOfTrouble(io: Io, file: string): Promise<void> {
  const trouble = await keptTrouble(file);
  if (trouble !== undefined) io.err(`cortex-mcp: warning: ${trouble}`);
}
