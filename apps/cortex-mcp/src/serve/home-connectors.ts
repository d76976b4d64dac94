import type { GatewayMetrics } from "@cortex-os/mcp";
import { LiveConfig } from "../config/live-config.js";
import type { ConfigSources } from "../config/load.js";
import type { Config } from "../config/schema.js";
import type { Io } from "../io.js";
import { HomeAuthorizations } from "../oauth/home-authorizations.js";
import { followMap, type FollowedMap } from "../service-map/follow-map.js";
import type { StatePaths } from "../state/state-paths.js";
import type { LeveledLogger } from "./create-logger.js";
import { homeRegistry } from "./home-registry.js";
import type { HostOptions } from "./host-gateway.js";

/** What {@link homeConnectors} are made of. */
export interface HomeConnectorsOptions {
  readonly paths: StatePaths;
  readonly configSources: ConfigSources;
  /** What they said. */
  readonly config: Config;
  readonly logger: LeveledLogger;
  readonly metrics: GatewayMetrics;
}

/** Where the connectors of a home come from (its registry and, when one is configured, the service map), and the configuration that says so as it changes. */
export function homeConnectors(
  io: Io,
  options: HomeConnectorsOptions,
): Required<Pick<HostOptions, "configuration" | "sources">> {
  const { paths, configSources, config, logger, metrics } = options;
  const { timers } = io.system;
  const followedMap = async (wanted: Config): Promise<FollowedMap | undefined> =>
    followMap({ io, paths, config: wanted, logger, metrics });
  const configuration = new LiveConfig({
    ...{ sources: configSources, inForce: config, logger, timers },
    followMap: followedMap,
  });
  return {
    configuration,
    sources: async () => {
      const map = await followedMap(config);
      const registry = homeRegistry({ paths, system: io.system, logger, metrics });
      const authorizations = new HomeAuthorizations({ io, paths, logger });
      const own = authorizations.watchedBy(registry.source);
      const sources = map === undefined ? [own] : [own, map.source];
      return { sources, serviceMap: map?.follower, registry, authorize: authorizations.of };
    },
  };
}
