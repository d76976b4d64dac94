import { Counter, Gauge, type Registry } from "prom-client";
import type { CacheObserver } from "../cache/answer-store.js";

/** What can be seen of the answers that are kept (R15). */
export interface CacheMetrics extends CacheObserver {
  /** They take so much, in bytes. */
  cacheBytes(bytes: number): void;
}

/** Makes them in `registry`. */
export function createCacheMetrics(registry: Registry): CacheMetrics {
  const registers = [registry];
  const counter = (what: string, help: string): Counter =>
    new Counter({ name: `brainwav_mcp_cache_${what}_total`, help, registers });
  const hits = counter("hits", "Reads that were answered from the cache");
  const misses = counter("misses", "Reads that could have been answered from the cache and were not");
  const evictions = counter("evictions", "Answers that were still good and made room for others");
  const bytes = new Gauge({ name: "brainwav_mcp_cache_bytes", help: "What the cache holds, in bytes", registers });
  return {
    cacheHit: () => {
      hits.inc();
    },
    cacheMiss: () => {
      misses.inc();
    },
    cacheEvicted: () => {
      evictions.inc();
    },
    cacheBytes: (count) => {
      bytes.set(count);
    },
  };
}
