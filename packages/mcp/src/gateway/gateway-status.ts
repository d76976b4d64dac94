import type { ConnectorStatus } from "@cortex-os/mcp-core";
import type { ServiceMapStatus } from "../connectors/map/service-map-follower.js";

/** The gateway at a glance. */
export interface GatewayStatus {
  readonly version: string;
  /** RFC 3339. */
  readonly startedAt: string;
  /** The catalog's content hash. */
  readonly revision: string;
  readonly tools: number;
  /** Legacy client sessions alive. */
  readonly sessions: number;
  readonly connectors: readonly ConnectorStatus[];
  /** Why sources of connectors, or the configuration, cannot be read at present; empty when all is well. */
  readonly problems: readonly string[];
  /** How the service map is; absent when none is configured. */
  readonly serviceMap?: ServiceMapStatus;
}
