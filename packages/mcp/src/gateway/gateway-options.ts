import type { ChildrenPolicy, Clock, Logger, Monotonic, RandomSource, Timers } from "@cortex-os/mcp-core";
import type { ConnectorSource } from "../connectors/connector-source.js";
import type { ServiceMapFollower } from "../connectors/map/service-map-follower.js";
import type { Authorize } from "../connectors/remote-upstreams.js";
import type { CatalogStore } from "../connectors/warm/catalog-store.js";
import type { GatewayMetrics } from "../telemetry/metrics.js";
import type { GatewaySettings } from "./gateway-settings.js";
import type { ReloadableConfiguration } from "./reload-report.js";
import type { SessionLimits } from "./session-store.js";

/** A service map as a source of connectors, and what follows it. */
export interface FollowedSource {
  readonly source: ConnectorSource;
  /** For status, metrics and the operators' commands. The source stops it. */
  readonly follower: ServiceMapFollower;
}

/** How a `Gateway` is made. */
export interface GatewayOptions extends GatewaySettings {
  /** Our own version, as clients and upstreams see it. */
  readonly version: string;
  readonly sources: readonly ConnectorSource[];
  /** What the service map's source follows: for status, metrics and the operators' commands. Its source stops it. @default none is configured */
  readonly serviceMap?: ServiceMapFollower | undefined;
  /** Where the settings came from, to be read again by `Gateway.reloadAll`. @default they are fixed */
  readonly configuration?: ReloadableConfiguration | undefined;
  /** Where what connectors offer is kept, so that it is served at once after a restart. @default nowhere */
  readonly catalogStore?: CatalogStore | undefined;
  /** How child processes live, of connectors that say nothing else. @default as `DEFAULT_CHILDREN` says */
  readonly children?: Partial<ChildrenPolicy>;
  readonly sessions?: Partial<SessionLimits>;
  /** What authorises the requests to a connector over HTTP beside its headers: OAuth. @default nothing */
  readonly authorize?: Authorize | undefined;
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
}
