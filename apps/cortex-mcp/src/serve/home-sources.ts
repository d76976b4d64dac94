import { registrySource, type GatewayMetrics } from "@cortex-os/mcp";
import type { Logger } from "@cortex-os/mcp-core";
import type { Config } from "../config/schema.js";
import type { Io } from "../io.js";
import { followMap } from "../service-map/follow-map.js";
import type { StatePaths } from "../state/state-paths.js";
import type { HostedSources } from "./host-gateway.js";

/** What {@link homeSources} are made of. */
export interface HomeSourcesOptions {
  readonly paths: StatePaths;
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
}

/** Where the connectors of a home come from: its registry and, when one is configured, the service map. */
export async function homeSources(io: Io, options: HomeSourcesOptions): Promise<HostedSources> {
  const { paths, config, logger, metrics } = options;
  const map = await followMap({ io, paths, config, logger, metrics });
  const registry = registrySource({ path: paths.registry, logger, timers: io.system.timers });
  return { sources: map === undefined ? [registry] : [registry, map.source], serviceMap: map?.follower };
}
