import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** Buckets in seconds, from a short list on a fast disk to a disk that stalls; 50 ms is what a flush of 10,000 servers may take. */
const FLUSH_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** What can be seen of the local registry (R15). */
export interface RegistryMetrics {
  /** The registry was read, or could not be. */
  registryRead(ok: boolean): void;
  /** The registry was written to `servers.json`, in so many seconds; `undefined` when that failed. */
  registryFlushed(seconds: number | undefined): void;
}

/** Makes them in `registry`. */
export function createRegistryMetrics(registry: Registry): RegistryMetrics {
  const registers = [registry];
  const reads = new Counter({
    name: "brainwav_mcp_registry_reads_total",
    help: "How often the registry was read because it changed or somebody asked; failed: something is wrong with its files",
    labelNames: ["result"] as const,
    registers,
  });
  for (const result of ["ok", "failed"]) reads.inc({ result }, 0);
  const readable = new Gauge({
    name: "brainwav_mcp_registry_readable",
    help: "1 while the files of the registry are as they should be, 0 while they are damaged, or cannot be read or written, and what they held last is served",
    registers,
  });
  const flushes = new Histogram({
    name: "brainwav_mcp_registry_flush_duration_seconds",
    help: "How long writing servers.json took, until it would survive a power cut",
    buckets: FLUSH_BUCKETS,
    registers,
  });
  const flushFailures = new Counter({
    name: "brainwav_mcp_registry_flush_failures_total",
    help: "How often servers.json could not be written; what was changed stays in its journal, and is tried again",
    registers,
  });
  return {
    registryRead: (ok) => {
      reads.inc({ result: ok ? "ok" : "failed" });
      readable.set(ok ? 1 : 0);
    },
    registryFlushed: (seconds) => {
      if (seconds === undefined) flushFailures.inc();
      else flushes.observe(seconds);
    },
  };
}
