import { createMetrics, registrySource } from "@cortex-os/mcp";
import { LiveConfig } from "../config/live-config.js";
import type { ConfigSources } from "../config/load.js";
import type { Config } from "../config/schema.js";
import type { Io } from "../io.js";
import { followMap, type FollowedMap } from "../service-map/follow-map.js";
import type { StatePaths } from "../state/state-paths.js";
import type { LeveledLogger } from "./create-logger.js";
import type { HostOptions } from "./host-gateway.js";

/** What {@link homeParts} are made of. */
export interface HomePartsOptions {
  readonly paths: StatePaths;
  readonly config: Config;
  /** Where `config` came from. */
  readonly configSources: ConfigSources;
  readonly logger: LeveledLogger;
}

/** What a gateway of a home is made of: its connectors come from the registry and the service map, and its configuration is followed. */
export function homeParts(
  io: Io,
  { paths, config, configSources, logger }: HomePartsOptions,
): Required<Pick<HostOptions, "metrics" | "configuration" | "sources">> {
  const { timers } = io.system;
  const metrics = createMetrics({ ofProcess: true });
  const followedMap = async (wanted: Config): Promise<FollowedMap | undefined> =>
    followMap({ io, paths, config: wanted, logger, metrics });
  return {
    metrics,
    configuration: new LiveConfig({
      ...{ sources: configSources, inForce: config, logger, timers },
      followMap: followedMap,
    }),
    sources: async () => {
      const map = await followedMap(config);
      const registry = registrySource({
        ...{ path: paths.registry, logger, timers },
        onRead: (ok) => {
          metrics.registryRead(ok);
        },
      });
      return { sources: map === undefined ? [registry] : [registry, map.source], serviceMap: map?.follower };
    },
  };
}
