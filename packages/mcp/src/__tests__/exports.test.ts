import { expect, test } from "vitest";
import * as mcp from "../index.js";

test("@cortex-os/mcp exports exactly these names", () => {
  expect(Object.keys(mcp).toSorted()).toEqual([
    "Catalog",
    "ClientSession",
    "ConnectorManifestError",
    "ConnectorProxyManager",
    "DEFAULT_CATALOG_POLICY",
    "DEFAULT_HTTP_LIMITS",
    "DEFAULT_SESSION_LIMITS",
    "DEFAULT_STARTUP",
    "Gateway",
    "MAP_FETCH_OUTCOMES",
    "ManifestCache",
    "MapValidators",
    "RefreshScheduler",
    "ServiceMapFollower",
    "SessionStore",
    "StartGate",
    "createConnectorAvailabilityGauge",
    "createConnectorSyncHistogram",
    "createMetrics",
    "diffMaps",
    "featureFlagProblem",
    "fileCatalogStore",
    "fileServiceMapStore",
    "loadConnectorServiceMap",
    "memoryServiceMapStore",
    "parseConnectorFeatureFlags",
    "registrySource",
    "serveHttp",
    "serviceMapSource",
    "setConnectorAvailabilityGauge",
    "shownUrl",
    "specsOfMap",
  ]);
});
