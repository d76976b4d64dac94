import { Counter, Gauge, Registry } from "prom-client";
import type { EndedRequest } from "../gateway/metered-sink.js";
import { createCatalogMetrics, type CatalogMetrics } from "./catalog-metrics.js";
import { createConnectorMetrics, type ConnectorMetrics } from "./connector-metrics.js";
import { addProcessMetrics } from "./process-metrics.js";
import { createRequestMetrics, type RequestMetrics } from "./request-metrics.js";
import {
  createServiceMapMetrics,
  type MapFetchOutcome,
  type MeasuredServiceMap,
  type ServiceMapMetrics,
} from "./service-map-metrics.js";
import { createConnectorSyncHistogram, observeConnectorSync } from "./sync-histogram.js";

/** Everything that can be counted, in a registry of its own: two gateways in one process do not meet (R15; docs/metrics.md). */
export interface GatewayMetrics extends RequestMetrics, Omit<ConnectorMetrics, "called">, CatalogMetrics {
  /** The text of `GET /metrics`. */
  exposition(): Promise<string>;
  readonly contentType: string;
  /** Which gateway this is. */
  build(version: string): void;
  /** A connector's lists were asked for. */
  synced(ok: boolean, seconds: number): void;
  sessions(count: number): void;
  listeners(count: number): void;
  /** The registry was read, or could not be. Its series exist from the first word about it. */
  registryRead(ok: boolean): void;
  /** How the service map is; `undefined` where none is configured. Its series exist from the first word about one. */
  serviceMap(status: MeasuredServiceMap | undefined): void;
  serviceMapFetched(outcome: MapFetchOutcome, seconds: number): void;
}

/** What a set of metrics holds. */
export interface MetricsOptions {
  /** Also tells of this process: CPU, memory, file descriptors. For a program that is nothing but the gateway. @default false */
  readonly ofProcess?: boolean;
}

/** A fresh set of metrics. */
export function createMetrics({ ofProcess = false }: MetricsOptions = {}): GatewayMetrics {
  const registry = new Registry();
  if (ofProcess) addProcessMetrics(registry);
  const registers = [registry];
  const info = new Gauge({
    name: "brainwav_mcp_build_info",
    help: "1, with the version of the gateway and of Node.js",
    labelNames: ["version", "node"] as const,
    registers,
  });
  const ofConnectors = createConnectorMetrics(registry);
  const sync = createConnectorSyncHistogram(registry);
  const ofRequests = createRequestMetrics(registry);
  const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers });
  const sessions = gauge("brainwav_mcp_client_sessions", "Legacy client sessions alive");
  const listeners = gauge("brainwav_mcp_listeners", "Modern subscriptions/listen streams open");
  let registryRead: ReturnType<typeof createRegistryMetrics> | undefined;
  let ofServiceMap: ServiceMapMetrics | undefined;
  const serviceMap = (): ServiceMapMetrics => (ofServiceMap ??= createServiceMapMetrics(registry));
  return {
    exposition: async () => registry.metrics(),
    contentType: registry.contentType,
    build: (version) => {
      info.set({ version, node: process.version }, 1);
    },
    ...ofConnectors,
    ...ofRequests,
    ...createCatalogMetrics(registry),
    ended: (request: EndedRequest) => {
      ofRequests.ended(request);
      if (request.connector !== undefined) ofConnectors.called(request.connector, request);
    },
    synced: (ok, seconds) => {
      observeConnectorSync(seconds, ok, sync);
    },
    sessions: (count) => {
      sessions.set(count);
    },
    listeners: (count) => {
      listeners.set(count);
    },
    registryRead: (ok) => {
      registryRead ??= createRegistryMetrics(registry);
      registryRead(ok);
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

/** The gateway only reads the registry: what is written, and how long that takes, is the command line's, which does not live to be asked. */
function createRegistryMetrics(registry: Registry): (ok: boolean) => void {
  const registers = [registry];
  const reads = new Counter({
    name: "brainwav_mcp_registry_reads_total",
    help: "How often servers.json was read because it changed or somebody asked; failed: it could not be read or is no registry",
    labelNames: ["result"] as const,
    registers,
  });
  for (const result of ["ok", "failed"]) reads.inc({ result }, 0);
  const readable = new Gauge({
    name: "brainwav_mcp_registry_readable",
    help: "1 while what is served of the registry is what is in servers.json, 0 while that cannot be read and what it held last is served",
    registers,
  });
  return (ok) => {
    reads.inc({ result: ok ? "ok" : "failed" });
    readable.set(ok ? 1 : 0);
  };
}
