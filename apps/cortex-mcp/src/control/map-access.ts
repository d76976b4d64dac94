import type { KnownMap, MapDiff, MapOperation, MapOperationResult } from "@cortex-os/mcp";
import { silentLogger } from "@cortex-os/mcp-core";
import { loadConfig } from "../config/load.js";
import type { Io } from "../io.js";
import { followMap } from "../service-map/follow-map.js";
import { findRunningGateway } from "../state/running-gateway.js";
import { statePaths } from "../state/state-paths.js";
import { userError } from "../user-error.js";
import { ControlClient } from "./control-client.js";

/** The service maps of a home as the commands use them, whether a gateway runs or not. */
export interface MapAccess {
  /** Those that are kept: the held one, the one accepted last, those before it. */
  known(): Promise<readonly KnownMap[]>;
  /** What the held one would change or, with none held, what the last one changed. */
  diff(): Promise<MapDiff>;
  operate(operation: MapOperation): Promise<MapOperationResult>;
}

/**
 * Runs `task` with the service maps of the gateway of this home; with none running, with what is kept on disk. Fetches nothing.
 *
 * @throws GatewayError USER_INPUT when no service map is configured, or without a usable key
 */
export async function withMap<T>(io: Io, task: (map: MapAccess) => Promise<T>): Promise<T> {
  const paths = statePaths(io.env);
  const running = await findRunningGateway(paths);
  if (running !== undefined) {
    const client = new ControlClient(running, io.system.timers);
    return task({
      known: () => client.knownMaps(),
      diff: () => client.mapDiff(),
      operate: (operation) => client.operateMap(operation),
    });
  }
  const config = await loadConfig({ file: paths.config, fileRequired: false, env: io.env, cwd: io.cwd, flags: {} });
  const map = await followMap({ io, paths, config, logger: silentLogger, onDemand: true });
  if (map === undefined) {
    throw userError("no service map is configured: set CONNECTORS_SERVICE_MAP_URL, or serviceMap.url in config.json");
  }
  const { follower, source } = map;
  try {
    await follower.load();
    return await task({
      known: async () => follower.known,
      diff: async () => {
        if (follower.diff !== undefined) return follower.diff;
        throw userError("there is no service map yet, so nothing to compare; cortex-mcp serve fetches one");
      },
      operate: (operation) => follower.operate(operation),
    });
  } finally {
    await source.close();
  }
}
