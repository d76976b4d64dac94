import { fixedRandom, ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import type { PublishedConnector, ServiceMapPayload } from "@cortex-os/protocol";
import { Registry } from "prom-client";
import { expect, onTestFinished, vi } from "vitest";
import { settle, toolOf } from "../../__tests__/support/test-upstreams.js";
import { createConnectorAvailabilityGauge } from "../../telemetry/availability-gauge.js";
import type { ConnectorProxy, ConnectorProxyOptions } from "../connector-proxy.js";
import { ConnectorProxyManager, type ConnectorProxyManagerOptions } from "../manager.js";
import type { LoadedServiceMap } from "../service-map.js";
import type { RegistrableTool, ToolRegistry } from "../tool-registrar.js";

export const TTL_MS = 60_000;
export const MAP_URL = "https://maps.example/v1/connectors/service-map";

/** A connector as a publisher writes it. */
export const entryOf = (id: string, overrides: Partial<PublishedConnector> = {}): PublishedConnector => ({
  id,
  version: "1.0.0",
  name: id,
  endpoint: `https://${id}.example/mcp`,
  auth: { type: "bearer" },
  scopes: ["tools"],
  ttlSeconds: 300,
  status: "enabled",
  ...overrides,
});

let maps = 0;

/** A map of these connectors, as a loader gives it. */
export function mapOf(...connectors: readonly (string | PublishedConnector)[]): ServiceMapPayload {
  maps += 1;
  return {
    id: `01HZZZZZZZZZZZZZZZZZZ${String(maps).padStart(5, "0")}`,
    brand: "brAInwav",
    generatedAt: "2023-11-14T22:13:20.000Z",
    ttlSeconds: TTL_MS / 1_000,
    connectors: connectors.map((entry) => (typeof entry === "string" ? entryOf(entry) : entry)),
  };
}

/** The ids `c0`, `c1`… */
export const ids = (count: number): string[] => Array.from({ length: count }, (_none, at) => `c${at}`);

/** How the proxies of one connector behave. */
export interface Behaviour {
  connect?: () => Promise<void> | void;
  getTools?: () => unknown;
  callTool?: (name: string, args: unknown) => unknown;
}

/** Every proxy that was made, and how the ones to come behave. */
export class Fleet {
  readonly made: ConnectorProxyOptions[] = [];
  readonly connected: string[] = [];
  readonly disconnected: string[] = [];
  readonly behaviour = new Map<string, Behaviour>();
  inFlight = 0;
  most = 0;

  readonly create = (options: ConnectorProxyOptions): ConnectorProxy => {
    const { connectorId } = options;
    this.made.push(options);
    const behaviour = (): Behaviour => this.behaviour.get(connectorId) ?? {};
    return {
      connect: async () => {
        this.connected.push(connectorId);
        this.inFlight += 1;
        this.most = Math.max(this.most, this.inFlight);
        try {
          await (behaviour().connect?.() ?? Promise.resolve());
        } finally {
          this.inFlight -= 1;
        }
      },
      getTools: () => (behaviour().getTools ?? (() => [toolOf("ping")]))(),
      callTool: (name, args) => (behaviour().callTool ?? (() => ({ content: [] })))(name, args),
      disconnect: () => {
        this.disconnected.push(connectorId);
      },
    };
  };

  /** The ids of the connectors that proxies were made for, in order. */
  get ids(): string[] {
    return this.made.map(({ connectorId }) => connectorId);
  }

  newest(id: string): ConnectorProxyOptions {
    const options = this.made.findLast(({ connectorId }) => connectorId === id);
    if (options === undefined) throw new Error(`no proxy was made for ${id}`);
    return options;
  }
}

/** A registry that keeps the tools it has. */
export class MemoryRegistry implements ToolRegistry {
  readonly tools = new Map<string, RegistrableTool>();
  readonly registered: string[] = [];
  readonly unregistered: string[] = [];

  registerTool(tool: RegistrableTool): void {
    this.registered.push(tool.name);
    this.tools.set(tool.name, tool);
  }

  unregisterTool(name: string): void {
    this.unregistered.push(name);
    this.tools.delete(name);
  }

  get names(): string[] {
    return [...this.tools.keys()].toSorted();
  }

  get(name: string): RegistrableTool {
    const tool = this.tools.get(name);
    if (tool === undefined) throw new Error(`${name} is not registered`);
    return tool;
  }
}

/** A loader that gives what the test says; fails while there is nothing. */
class TestLoader {
  payload: ServiceMapPayload | undefined;
  failure: Error = new Error("the publisher is away");
  /** Answers when the test says so, from now on. */
  gate: Promise<void> | undefined;
  loads = 0;
  readonly #time: ManualTime;

  constructor(time: ManualTime) {
    this.#time = time;
  }

  readonly load = async (): Promise<LoadedServiceMap> => {
    this.loads += 1;
    await this.gate;
    if (this.payload === undefined) throw this.failure;
    return { payload: this.payload, expiresAtMs: this.#time.now() + TTL_MS };
  };
}

/** A manager in the test's own time over proxies and a loader in the hands of the test; it is disconnected with the test, which fails on a leak. */
export function setUpManager(overrides: Partial<ConnectorProxyManagerOptions> = {}) {
  const time = new ManualTime();
  const logger = new RecordingLogger();
  const fleet = new Fleet();
  const registry = new MemoryRegistry();
  const loader = new TestLoader(time);
  const metrics = new Registry();
  const manager = new ConnectorProxyManager({
    serviceMapUrl: MAP_URL,
    signatureKey: "a signature key of 32 bytes or so",
    connectorsApiKey: "the connectors' key",
    registry,
    logger,
    createProxy: fleet.create,
    clock: time,
    monotonic: time,
    timers: time,
    random: fixedRandom(0.5),
    gauge: createConnectorAvailabilityGauge(metrics),
    ...overrides,
  });
  onTestFinished(async () => {
    await manager.disconnect();
    expect(time.pending).toBe(0);
  });
  /** What the gauge shows of each connector. */
  const up = async (): Promise<Record<string, number>> => {
    const text = await metrics.metrics();
    const lines = text.matchAll(/^brainwav_mcp_connector_proxy_up\{connector="([^"]+)"\} (\d)$/gm);
    return Object.fromEntries([...lines].map(([, id, value]) => [id, Number(value)]));
  };
  /** The lines with this message. */
  const logged = (message: string) => logger.lines.filter((line) => line.message === message);
  return { time, logger, fleet, registry, loader, manager, up, logged };
}

/** Waits for a sync that needs the test's time to move on. */
export async function within(time: ManualTime, ms: number, work: Promise<void>): Promise<void> {
  const ended = vi.fn<() => void>();
  work.then(ended, ended);
  await settle();
  await time.advance(ms);
  await settle();
  expect(ended).toHaveBeenCalledOnce();
  await work;
}
