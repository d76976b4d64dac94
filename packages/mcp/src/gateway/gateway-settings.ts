import { DEFAULT_NAME_POLICY, type NamePolicy } from "@cortex-os/mcp-core";
import { DEFAULT_CACHE_BYTES } from "../cache/answer-store.js";
import { DEFAULT_CATALOG_POLICY, type CatalogPolicy } from "../catalog/catalog.js";
import { DEFAULT_STARTUP, type StartupPolicy } from "../connectors/start-gate.js";

/** What of a gateway can be set anew while it runs. */
export interface GatewaySettings {
  readonly names?: Partial<NamePolicy>;
  /** `ttlMs`: caching hint of lists in milliseconds (300,000); `pageSize`: tools on a page (1,000). */
  readonly lists?: { readonly ttlMs?: number; readonly pageSize?: number };
  readonly startup?: Partial<StartupPolicy>;
  /** `bytes`: most that answers of connectors which may be given once more take (32 MiB); 0 keeps none. */
  readonly cache?: { readonly bytes?: number };
}

/** What of routing can be set anew. */
export interface RoutingSettings {
  /** The key separator when names are prefixed always; lets an unknown tool of a known connector be explained. */
  readonly separator: string | undefined;
  /** Caching hint of `server/discover`, in milliseconds. */
  readonly ttlMs: number;
}

/** {@link GatewaySettings} as the parts of a gateway take them. */
export interface ResolvedSettings {
  readonly catalog: CatalogPolicy;
  readonly startup: StartupPolicy;
  readonly routing: RoutingSettings;
  readonly cacheBytes: number;
}

/** Fills in the defaults. */
export function resolveSettings({ names: given, lists, startup, cache }: GatewaySettings): ResolvedSettings {
  const names = { ...DEFAULT_NAME_POLICY, ...given };
  const { ttlMs, pageSize } = { ...DEFAULT_CATALOG_POLICY, ...lists };
  return {
    catalog: { names, ttlMs, pageSize },
    startup: { ...DEFAULT_STARTUP, ...startup },
    routing: { separator: names.prefix === "always" ? names.separator : undefined, ttlMs },
    cacheBytes: cache?.bytes ?? DEFAULT_CACHE_BYTES,
  };
}
