import { Histogram, register, type Registry } from "prom-client";

const NAME = "mcp_connector_sync_duration_seconds";
/** Buckets in seconds, from an upstream on this machine to one that needs its whole list time-out. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** How long asking a connector for its lists took, and how it ended. */
export type ConnectorSyncHistogram = Histogram<"result">;

/** Makes {@link ConnectorSyncHistogram} in `registry` (R15). */
export const createConnectorSyncHistogram = (registry: Registry): ConnectorSyncHistogram =>
  new Histogram({
    name: NAME,
    help: "How long asking a connector for the lists of one feature (tools, resources, prompts) took",
    labelNames: ["result"] as const,
    buckets: BUCKETS,
    registers: [registry],
  });

/**
 * The histogram in prom-client's global register, made on first use: for code that has no registry of its own.
 * @throws Error when something else has that name there
 */
export function globalSyncHistogram(): ConnectorSyncHistogram {
  // Looked up each time: a program may clear its register.
  const known = register.getSingleMetric(NAME);
  return known instanceof Histogram ? known : createConnectorSyncHistogram(register);
}

/**
 * Counts one round of asking a connector for its lists.
 * @param histogram @default the one in prom-client's global register
 */
export function observeConnectorSync(
  seconds: number,
  ok: boolean,
  histogram: ConnectorSyncHistogram = globalSyncHistogram(),
): void {
  histogram.observe({ result: ok ? "ok" : "failed" }, seconds);
}
