import type { ConnectorSource, GatewayMetrics, ServiceMapFollower } from "@cortex-os/mcp";
import type { Logger } from "@cortex-os/mcp-core";
import type { Config } from "../config/schema.js";
import type { Io } from "../io.js";
import type { StatePaths } from "../state/state-paths.js";
import { mapSettings, sendsKeyInTheClear } from "./map-settings.js";

/** What following a service map needs. */
export interface FollowOptions {
  readonly io: Pick<Io, "env" | "system">;
  readonly paths: Pick<StatePaths, "serviceMap">;
  readonly config: Pick<Config, "serviceMap">;
  readonly logger: Logger;
  /** Counts the fetches. */
  readonly metrics?: GatewayMetrics;
  /** Fetches only when asked, whatever the configuration says: for one command. */
  readonly onDemand?: boolean;
  /** It is one publisher whose address changes: the maps of another URL are its own. */
  readonly moves?: boolean;
}

/** A service map that is followed: the connectors it names, and what is known of it. Closing the source ends both. */
export interface FollowedMap {
  readonly follower: ServiceMapFollower;
  readonly source: ConnectorSource;
}

/**
 * The configured service map, ready to be a source of connectors. Nothing is read or fetched before the source starts or somebody asks.
 *
 * @returns `undefined` when none is configured
 * @throws GatewayError USER_INPUT when it is configured without a usable key
 */
export async function followMap(options: FollowOptions): Promise<FollowedMap | undefined> {
  const { io, config, logger } = options;
  const settings = mapSettings(config, io.env);
  if (settings === undefined) return undefined;
  // Most homes have none: what follows one, checks it and keeps it is loaded for those that do.
  const { followerOf, serviceMapSource } = await import("./map-follower.js");
  const { origin } = new URL(settings.url);
  if (sendsKeyInTheClear(settings)) {
    logger.warn({ origin }, "The API key of the service map is sent unencrypted; publish the map over https");
  }
  const follower = await followerOf(settings, options);
  const { credentialOrigins, allowedOrigins } = settings.config;
  const { connectorsApiKey } = settings;
  const policy = { connectorsApiKey, mapOrigin: origin, origins: { credentialOrigins, allowedOrigins }, logger };
  return { follower, source: serviceMapSource({ follower, policy: () => policy, logger }) };
}
