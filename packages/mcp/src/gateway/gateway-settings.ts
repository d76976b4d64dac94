import { DEFAULT_NAME_POLICY, type NamePolicy } from "@cortex-os/mcp-core";
import { DEFAULT_CACHE_BYTES } from "../cache/answer-store.js";
import { DEFAULT_CATALOG_POLICY, type CatalogPolicy } from "../catalog/catalog.js";
import { DEFAULT_STARTUP, type StartupPolicy } from "../connectors/start-gate.js";
import type { RouterSettings } from "./router.js";

/** What of a gateway can be set anew while it runs. */
export interface GatewaySettings {
  readonly names?: Partial<NamePolicy>;
  /** `ttlMs`: caching hint of lists in milliseconds (300,000); `pageSize`: tools on a page (1,000). */
  readonly lists?: { readonly ttlMs?: number; readonly pageSize?: number };
  readonly startup?: Partial<StartupPolicy>;
  /** `bytes`: most that answers of connectors which may be given once more take (32 MiB); 0 keeps none. */
  readonly cache?: { readonly bytes?: number };
}

/** {@link GatewaySettings} as the parts of a gateway take them. */
export interface ResolvedSettings {
  readonly catalog: CatalogPolicy;
  readonly startup: StartupPolicy;
  readonly routing: RouterSettings;
  readonly cacheBytes: number;
}

/** Fills in the defaults. */
export function resolveSettings({ names: given, lists, startup, cache }: GatewaySettings): ResolvedSettings {
  const names = { ...DEFAULT_NAME_POLICY, ...given };
  const { ttlMs, pageSize } = { ...DEFAULT_CATALOG_POLICY, ...lists };
  return {
    catalog: { names, ttlMs, pageSize },
    startup: { ...DEFAULT_STARTUP, ...startup },
    routing: { separator: names.prefix === "always" ? names.separator : undefined, discoverTtlMs: ttlMs },
    cacheBytes: cache?.bytes ?? DEFAULT_CACHE_BYTES,
  };
}
