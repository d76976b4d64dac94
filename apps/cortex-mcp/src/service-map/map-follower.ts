import { fileServiceMapStore, ServiceMapFollower } from "@cortex-os/mcp";
import type { FollowOptions } from "./follow-map.js";
import { openMapKeys } from "./map-keys.js";
import type { MapSettings } from "./map-settings.js";

export { serviceMapSource } from "@cortex-os/mcp";

/** How often the key file is looked at, in milliseconds: a key that was removed counts no longer than this. */
const KEYS_LOOK_MS = 2_000;

/** @throws GatewayError USER_INPUT when its keys cannot be used */
export async function followerOf(settings: MapSettings, options: FollowOptions): Promise<ServiceMapFollower> {
  const { io, paths, logger, metrics, onDemand = false, moves = false } = options;
  const { timeoutMs, maxStaleMs, holdRemovals, refreshSync, refreshIntervalMs } = settings.config;
  return new ServiceMapFollower({
    ...io.system,
    ...{ timeoutMs, maxStaleMs, holdRemovals, logger },
    serviceMapUrl: settings.url,
    apiKey: settings.apiKey,
    keys: await openMapKeys(settings, logger),
    ...(settings.config.keysFile === undefined ? {} : { keysLookMs: KEYS_LOOK_MS }),
    flags: { asyncRefresh: !refreshSync && !onDemand, refreshIntervalMs },
    store: fileServiceMapStore({
      ...{ file: paths.serviceMap, logger, clock: io.system.clock },
      ...(moves ? {} : { serviceMapUrl: settings.url }),
    }),
    onFetch: (outcome, seconds) => {
      metrics?.serviceMapFetched(outcome, seconds);
    },
  });
}
