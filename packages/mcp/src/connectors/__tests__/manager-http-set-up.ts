import type { FixtureHttp } from "@cortex-os/fixture-server";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { systemClock, systemTimers } from "@cortex-os/mcp-core";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import { serveServiceMap, signingKeyFromSecret, type PublishedConnector } from "@cortex-os/protocol";
import { Registry } from "prom-client";
import { onTestFinished } from "vitest";
import { createConnectorAvailabilityGauge } from "../../telemetry/availability-gauge.js";
import { ConnectorProxyManager, type ConnectorProxyManagerOptions } from "../manager.js";
import { entryOf, MemoryRegistry } from "./manager-set-up.js";

const SECRET = "a signature key of more than thirty-two bytes";
const API_KEY = "publishers-api-key";

/** A real publisher of these connectors. */
export async function publish(...connectors: readonly PublishedConnector[]) {
  const folder = await mkdtemp(path.join(tmpdir(), "cortex-"));
  onTestFinished(async () => rm(folder, { recursive: true, force: true }));
  const manifestFile = path.join(folder, "manifest.json");
  const write = async (entries: readonly PublishedConnector[]): Promise<void> =>
    writeFile(manifestFile, JSON.stringify({ brand: "brAInwav", ttlSeconds: 300, connectors: entries }));
  await write(connectors);
  const served = await serveServiceMap({
    manifestFile,
    key: () => signingKeyFromSecret(SECRET),
    apiKey: API_KEY,
    clock: systemClock,
    timers: systemTimers,
    logger: new RecordingLogger(),
  });
  onTestFinished(async () => served.close());
  const change = async (...entries: readonly PublishedConnector[]): Promise<void> => {
    await write(entries);
    await served.reload();
  };
  return { url: served.url, change, close: async () => served.close() };
}

/** A manager with nothing in the place of anything. */
export function manage(serviceMapUrl: string, overrides: Partial<ConnectorProxyManagerOptions> = {}) {
  const registry = new MemoryRegistry();
  const logger = new RecordingLogger();
  const metrics = new Registry();
  const manager = new ConnectorProxyManager({
    serviceMapUrl,
    apiKey: API_KEY,
    signatureKey: SECRET,
    connectorsApiKey: "connectors-key",
    registry,
    logger,
    gauge: createConnectorAvailabilityGauge(metrics),
    ...overrides,
  });
  onTestFinished(async () => manager.disconnect());
  const connectorsOfTools = (): string[] =>
    [...new Set([...registry.tools.values()].map(({ metadata }) => metadata.connectorId))].toSorted();
  return { manager, registry, logger, connectorsOfTools };
}

/** These upstreams as connectors `c0`, `c1`… */
export const entriesFor = (upstreams: readonly FixtureHttp[]): PublishedConnector[] =>
  upstreams.map(({ url }, at) => entryOf(`c${at}`, { endpoint: url }));
