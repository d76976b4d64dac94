import { Gauge, Registry } from "prom-client";
import type { EndedRequest } from "../gateway/metered-sink.js";
import { createCacheMetrics, type CacheMetrics } from "./cache-metrics.js";
import { createCatalogMetrics, type CatalogMetrics } from "./catalog-metrics.js";
import { createConnectorMetrics, type ConnectorMetrics } from "./connector-metrics.js";
import { addProcessMetrics } from "./process-metrics.js";
import { createRegistryMetrics, type RegistryMetrics } from "./registry-metrics.js";
import { createRequestMetrics, type RequestMetrics } from "./request-metrics.js";
import {
  createServiceMapMetrics,
  type MapFetchOutcome,
  type MeasuredServiceMap,
  type ServiceMapMetrics,
} from "./service-map-metrics.js";
import { createConnectorSyncHistogram, observeConnectorSync } from "./sync-histogram.js";

/**
 * Everything that can be counted, in a registry of its own: two gateways in one process do not meet (R15; docs/metrics.md). The series of the local registry and
 * of the service map exist from the first word about them.
 */
export interface GatewayMetrics
  extends RequestMetrics, Omit<ConnectorMetrics, "called">, CatalogMetrics, CacheMetrics, RegistryMetrics {
  /** The text of `GET /metrics`. */
  exposition(): Promise<string>;
  readonly contentType: string;
  /** Which gateway this is. */
  build(version: string): void;
  /** A connector's lists were asked for. */
  synced(ok: boolean, seconds: number): void;
  sessions(count: number): void;
  listeners(count: number): void;
  /** How the service map is; `undefined` where none is configured. */
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
  let ofRegistry: RegistryMetrics | undefined;
  const localRegistry = (): RegistryMetrics => (ofRegistry ??= createRegistryMetrics(registry));
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
    ...createCacheMetrics(registry),
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
      localRegistry().registryRead(ok);
    },
    registryFlushed: (seconds) => {
      localRegistry().registryFlushed(seconds);
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
