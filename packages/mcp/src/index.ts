export { DEFAULT_CACHE_BYTES } from "./cache/answer-store.js";
export { Catalog, DEFAULT_CATALOG_POLICY, type CatalogPolicy } from "./catalog/catalog.js";
export type * from "./catalog/catalog-part.js";
export * from "./connectors/cache.js";
export type { CallersLogger } from "./connectors/callers-logger.js";
export { DEFAULT_CHILDREN } from "./connectors/children-policy.js";
export type * from "./connectors/connector-proxy.js";
export type * from "./connectors/connector-source.js";
export * from "./connectors/feature-flags.js";
export * from "./connectors/manager.js";
export { diffMaps, type MapDiff, type MapName } from "./connectors/map/map-diff.js";
export type { MapOperation, MapOperationResult } from "./connectors/map/map-operations.js";
export * from "./connectors/map/map-policy.js";
export * from "./connectors/map/service-map-follower.js";
export {
  serviceMapSource,
  type FollowedServiceMap,
  type ServiceMapSourceOptions,
} from "./connectors/map/service-map-source.js";
export * from "./connectors/map/service-map-store.js";
export { MapValidators } from "./connectors/map-validators.js";
export { RefreshScheduler, type RefreshSchedulerOptions } from "./connectors/refresh-scheduler.js";
export * from "./connectors/registry-operations.js";
export * from "./connectors/registry-source.js";
export * from "./connectors/service-map.js";
export { shownUrl } from "./connectors/shown-url.js";
export * from "./connectors/start-gate.js";
export type { StartWidth } from "./connectors/start-width.js";
export type { CatalogStore, StoredPart } from "./connectors/warm/catalog-store.js";
export { fileCatalogStore, type FileCatalogStoreOptions } from "./connectors/warm/file-catalog-store.js";
export type { RegistrableTool, ToolCallOptions, ToolRegistry } from "./connectors/tool-registrar.js";
export * from "./gateway/gateway.js";
export type * from "./gateway/gateway-options.js";
export type { GatewaySettings } from "./gateway/gateway-settings.js";
export type * from "./gateway/gateway-status.js";
export type { ConfigurationChange, ReloadableConfiguration, ReloadReport } from "./gateway/reload-report.js";
export * from "./gateway/session-store.js";
export { DEFAULT_STREAM_POLICY, type StreamPolicy } from "./http/client-stream.js";
export { probePort } from "./http/listen.js";
export type { ShownConnector } from "./http/map-api.js";
export type { OwnedRegistry } from "./http/registry-api.js";
export * from "./http/serve-http.js";
export { STDIO_PATH, STDIO_PROTOCOL } from "./http/stdio-upgrade.js";
export * from "./stdio/farewell.js";
export * from "./stdio/message-lines.js";
export * from "./stdio/stdio-conversation.js";
export {
  createConnectorAvailabilityGauge,
  setConnectorAvailabilityGauge,
  type ConnectorAvailabilityGauge,
} from "./telemetry/availability-gauge.js";
export * from "./telemetry/metrics.js";
export { createConnectorSyncHistogram, type ConnectorSyncHistogram } from "./telemetry/sync-histogram.js";
export { MAP_FETCH_OUTCOMES, type MapFetchOutcome, type MeasuredServiceMap } from "./telemetry/service-map-metrics.js";
