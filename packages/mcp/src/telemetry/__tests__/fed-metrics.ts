import { GATEWAY_ERROR_CODES, type ConnectorStatus } from "@cortex-os/mcp-core";
import { CALL_OUTCOMES, type EndedRequest } from "../../gateway/metered-sink.js";
import { createMetrics, type GatewayMetrics } from "../metrics.js";
import { MEASURED_METHODS } from "../measured-method.js";
import { REJECTIONS } from "../request-metrics.js";
import { MAP_FETCH_OUTCOMES } from "../service-map-metrics.js";

/** A connector's status as far as metrics care. */
export const statusOf = (
  key: string,
  state: ConnectorStatus["state"] = "up",
  source: ConnectorStatus["source"] = "registry",
): ConnectorStatus => ({ key, state, source, tools: 1, since: "2026-01-01T00:00:00.000Z" });

/** A request that ended well, unless told otherwise. */
export const requestOf = (given: Partial<EndedRequest> = {}): EndedRequest => ({
  method: "tools/call",
  era: "modern",
  outcome: "answered",
  seconds: 0.001,
  ...given,
});

/** Metrics that were told everything there is to tell, of so many connectors. */
export function fedMetrics(connectorCount = 1): GatewayMetrics {
  const metrics = createMetrics({ ofProcess: true });
  const keys = Array.from({ length: connectorCount }, (_, index) => `c${index}`);
  metrics.build("1.2.3");
  metrics.connectors(keys.map((key) => statusOf(key)));
  metrics.listAges(new Map(keys.map((key) => [key, 12])));
  for (const era of ["modern", "legacy"] as const) {
    for (const method of MEASURED_METHODS) {
      for (const outcome of CALL_OUTCOMES) {
        metrics.ended(requestOf({ era, method, outcome }));
        for (const connector of keys) metrics.ended(requestOf({ era, method, outcome, connector }));
      }
    }
  }
  for (const code of GATEWAY_ERROR_CODES) metrics.ended(requestOf({ outcome: "failed", code }));
  for (const reason of REJECTIONS) metrics.rejected(reason);
  metrics.staleServe({ kind: "list", reason: "connector" });
  for (const ok of [true, false]) {
    metrics.synced(ok, 0.2);
    metrics.registryRead(ok);
    metrics.registryFlushed(ok ? 0.004 : undefined);
  }
  metrics.sessions(1);
  metrics.listeners(2);
  metrics.catalogChanged({ tools: 3, resources: 4, resourceTemplates: 5, prompts: 6 });
  metrics.catalogAge(7);
  const time = "2026-01-01T00:00:00.000Z";
  const moments = { expiresAt: time, staleUntil: time, nextRefreshAt: time, ageSeconds: 8 };
  metrics.serviceMap({ state: "fresh", keyId: "k1", connectors: 1, circuit: "closed", ...moments });
  for (const outcome of MAP_FETCH_OUTCOMES) metrics.serviceMapFetched(outcome, 0.1);
  return metrics;
}
