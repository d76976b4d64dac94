import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { CALL_OUTCOMES, type CallOutcome } from "../gateway/metered-sink.js";
import { createConnectorAvailabilityGauge, setConnectorAvailabilityGauge } from "./availability-gauge.js";
import { addProcessMetrics } from "./process-metrics.js";
import { createConnectorSyncHistogram, observeConnectorSync } from "./sync-histogram.js";
import { createServiceMapMetrics, type MapFetchOutcome, type MeasuredServiceMap } from "./service-map-metrics.js";

/** Buckets in seconds, from a call that stays on this machine to one that works for minutes. */
const CALL_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 300];

/** Everything that can be counted, in a registry of its own: two gateways in one process do not meet (R15). */
export interface GatewayMetrics {
  /** The text of `GET /metrics`. */
  exposition(): Promise<string>;
  readonly contentType: string;
  /** The connector exists, and is up or not. */
  connectorUp(connector: string, up: boolean): void;
  /** The connector went down, or could not come up at first. */
  connectorFailed(connector: string): void;
  /** The connector left: its series go with it. */
  connectorGone(connector: string): void;
  synced(ok: boolean, seconds: number): void;
  /** A call ended. One that ends after its connector left is not counted: it would bring the series back for good. */
  called(connector: string, outcome: CallOutcome, seconds: number): void;
  sessions(count: number): void;
  listeners(count: number): void;
  catalogTools(count: number): void;
  catalogChanged(): void;
  rejected(reason: "host" | "origin" | "headers" | "body" | "session"): void;
  /** How the service map is; `undefined` where none is configured. Its series exist from the first word about one. */
  serviceMap(status: MeasuredServiceMap | undefined): void;
  serviceMapFetched(outcome: MapFetchOutcome, seconds: number): void;
}

/** What a set of metrics holds. */
export interface MetricsOptions {
  /** Also tells of this process: CPU, memory. For a program that is nothing but the gateway. @default false */
  readonly ofProcess?: boolean;
}

/** A fresh set of metrics. */
export function createMetrics({ ofProcess = false }: MetricsOptions = {}): GatewayMetrics {
  const registry = new Registry();
  if (ofProcess) addProcessMetrics(registry);
  const registers = [registry];
  const up = createConnectorAvailabilityGauge(registry);
  const sync = createConnectorSyncHistogram(registry);
  const calls = new Histogram({
    name: "brainwav_mcp_call_duration_seconds",
    help: "How long a forwarded call took, from its arrival to the last byte of its answer",
    labelNames: ["connector", "outcome"] as const,
    buckets: CALL_BUCKETS,
    registers,
  });
  const failures = new Counter({
    name: "brainwav_mcp_connector_failures_total",
    help: "How often the connector went down, or could not come up at first",
    labelNames: ["connector"] as const,
    registers,
  });
  const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers });
  const sessions = gauge("brainwav_mcp_client_sessions", "Legacy client sessions alive");
  const listeners = gauge("brainwav_mcp_listeners", "Modern subscriptions/listen streams open");
  const tools = gauge("brainwav_mcp_catalog_tools", "Tools in the catalog");
  const changes = new Counter({ name: "brainwav_mcp_catalog_changes_total", help: "Catalogs put in force", registers });
  const rejected = new Counter({
    name: "brainwav_mcp_rejected_requests_total",
    help: "HTTP requests refused before they reached a connector",
    labelNames: ["reason"] as const,
    registers,
  });
  const living = new Set<string>();
  let ofServiceMap: ReturnType<typeof createServiceMapMetrics> | undefined;
  const serviceMap = (): ReturnType<typeof createServiceMapMetrics> =>
    (ofServiceMap ??= createServiceMapMetrics(registry));
  return {
    exposition: async () => registry.metrics(),
    contentType: registry.contentType,
    connectorUp: (connector, isUp) => {
      living.add(connector);
      setConnectorAvailabilityGauge(connector, isUp, up);
    },
    connectorFailed: (connector) => {
      failures.inc({ connector });
    },
    connectorGone: (connector) => {
      living.delete(connector);
      up.remove({ connector });
      failures.remove({ connector });
      for (const outcome of CALL_OUTCOMES) calls.remove({ connector, outcome });
    },
    synced: (ok, seconds) => {
      observeConnectorSync(seconds, ok, sync);
    },
    called: (connector, outcome, seconds) => {
      if (living.has(connector)) calls.observe({ connector, outcome }, seconds);
    },
    sessions: (count) => {
      sessions.set(count);
    },
    listeners: (count) => {
      listeners.set(count);
    },
    catalogTools: (count) => {
      tools.set(count);
    },
    catalogChanged: () => {
      changes.inc();
    },
    rejected: (reason) => {
      rejected.inc({ reason });
    },
    serviceMap: (status) => {
      if (status === undefined) ofServiceMap?.gone();
      else serviceMap().measured(status);
    },
    serviceMapFetched: (outcome, seconds) => {
      serviceMap().fetched(outcome, seconds);
    },
  };
}
