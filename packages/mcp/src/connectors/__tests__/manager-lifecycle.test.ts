import { register, Registry } from "prom-client";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { settle, toolOf } from "../../__tests__/support/test-upstreams.js";
import { createConnectorAvailabilityGauge } from "../../telemetry/availability-gauge.js";
import { ConnectorManifestError } from "../connector-manifest-error.js";
import { ConnectorProxyManager } from "../manager.js";
import type * as serviceMap from "../service-map.js";
import { loadConnectorServiceMap } from "../service-map.js";
import type { RegistrableTool } from "../tool-registrar.js";
import { Fleet, MAP_URL, mapOf, MemoryRegistry, setUpManager, within } from "./manager-set-up.js";

vi.mock("../service-map.js", () => ({ loadConnectorServiceMap: vi.fn<() => Promise<never>>() }));

function setUp(...args: Parameters<typeof setUpManager>) {
  const it = setUpManager(...args);
  vi.mocked(loadConnectorServiceMap).mockImplementation(it.loader.load);
  return it;
}

const REQUIRED = {
  serviceMapUrl: MAP_URL,
  signatureKey: "any key",
  connectorsApiKey: "k",
  registry: new MemoryRegistry(),
  logger: {},
};

afterEach(() => {
  vi.mocked(loadConnectorServiceMap).mockReset();
});

describe("R6: disconnect()", () => {
  test("withdraws tools, closes connections, shows them as down and leaves no timer, also when nobody waits for it", async () => {
    const { manager, loader, registry, fleet, time, up } = setUp();
    loader.payload = mapOf("a", "b");
    await manager.sync();
    void manager.disconnect();
    expect([registry.names, fleet.disconnected]).toEqual([[], ["a", "b"]]);
    await settle();
    expect([time.pending, await up()]).toEqual([0, { a: 0, b: 0 }]);
  });

  test("may be called twice, at once and later", async () => {
    const { manager, loader, fleet } = setUp();
    loader.payload = mapOf("a");
    await manager.sync();
    await Promise.all([manager.disconnect(), manager.disconnect()]);
    await manager.disconnect();
    expect(fleet.disconnected).toEqual(["a"]);
  });

  test("leaves alone what another manager shows in the same gauge (R15)", async () => {
    const gauge = createConnectorAvailabilityGauge(new Registry());
    const [one, two] = [setUp({ gauge }), setUp({ gauge })];
    const up = async (): Promise<unknown> =>
      Object.fromEntries((await gauge.get()).values.map(({ labels, value }) => [labels.connector, value]));
    // The loader is one for both.
    two.loader.payload = mapOf("both", "second");
    await one.manager.sync();
    await two.manager.sync();
    await one.manager.disconnect();
    expect(await up()).toEqual({ both: 1, second: 1 });
    await two.manager.disconnect();
    expect(await up()).toEqual({ both: 0, second: 0 });
  });

  test("before the first sync is fine", async () => {
    const { manager, time } = setUp();
    await manager.disconnect();
    expect(time.pending).toBe(0);
  });

  test("afterwards sync() rejects and says why; nothing is fetched, connected or refreshed any more", async () => {
    const { manager, loader, fleet, time } = setUp();
    loader.payload = mapOf("a");
    await manager.sync();
    await manager.disconnect();
    for (const force of [false, true]) {
      await expect(manager.sync(force)).rejects.toMatchObject({
        name: "ConnectorManifestError",
        message: expect.stringContaining("the manager was disconnected, make a new one"),
      });
    }
    await time.advance(24 * 3_600_000);
    expect([loader.loads, fleet.connected]).toEqual([1, ["a"]]);
  });

  test("from inside the registry, while tools are being registered, ends it there", async () => {
    const registry = new MemoryRegistry();
    const { manager, loader } = setUp({
      registry: {
        registerTool: (tool) => {
          registry.registerTool(tool);
          void manager.disconnect();
        },
        unregisterTool: (name) => {
          registry.unregisterTool(name);
        },
      },
    });
    loader.payload = mapOf("a", "b", "c");
    await manager.sync();
    expect(registry.names).toEqual([]);
    expect(registry.registered).toHaveLength(1);
  });

  test("a handler that is kept fails clearly", async () => {
    const { manager, loader, registry } = setUp();
    loader.payload = mapOf("a");
    await manager.sync();
    const { handler } = registry.get("a__ping");
    await manager.disconnect();
    await expect(handler({})).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
  });
});

describe("R6: the registry", () => {
  test("that throws is logged and offered the tool again by the next sync; the others are registered", async () => {
    const registry = new MemoryRegistry();
    let full = true;
    const { manager, loader, logged } = setUp({
      registry: {
        registerTool: (tool) => {
          if (full && tool.name === "a__ping") throw new Error("no room");
          registry.registerTool(tool);
        },
      },
    });
    loader.payload = mapOf("a", "b");
    await manager.sync();
    expect(registry.names).toEqual(["b__ping"]);
    expect(logged("Tool could not be registered")[0]).toMatchObject({
      level: "warn",
      fields: { brand: "brAInwav", connectorId: "a", error: "no room" },
    });
    full = false;
    await manager.sync();
    expect(registry.names).toEqual(["a__ping", "b__ping"]);
  });

  test("that goes on throwing is offered the tool once per sync, not with every change of a connector", async () => {
    let offers = 0;
    const { manager, loader, fleet, time } = setUp({
      registry: {
        registerTool: ({ metadata }) => {
          if (metadata.connectorId !== "a") return;
          offers += 1;
          throw new Error("no room");
        },
      },
    });
    loader.payload = mapOf("a", "b");
    await manager.sync();
    expect(offers).toBe(1);
    fleet.behaviour.set("b", { getTools: () => [toolOf("other")] });
    fleet.newest("b").onToolsChanged();
    await settle();
    await time.advance(1_000);
    expect(offers).toBe(1);
    await Promise.all([manager.sync(), manager.sync(true), manager.sync()]);
    expect(offers).toBe(2);
    await manager.sync();
    expect(offers).toBe(3);
  });

  test.each(["at once", "later"])(
    "that waits for a sync of its own while it registers is not waited for: %s",
    async (when) => {
      const registered: string[] = [];
      const { manager, loader, logged } = setUp({
        registry: {
          registerTool: async ({ name }: RegistrableTool) => {
            if (when === "later") await settle();
            await manager.sync(name === "b__ping");
            registered.push(name);
          },
        },
      });
      loader.payload = mapOf("a", "b");
      await manager.sync();
      expect(registered.toSorted()).toEqual(["a__ping", "b__ping"]);
      expect(logged("Tools may not be registered yet")).toEqual([]);
    },
  );

  test("that disconnects while it registers is not waited for either", async () => {
    const { manager, loader, logged } = setUp({
      registry: {
        registerTool: async () => {
          await settle();
          await manager.disconnect();
        },
      },
    });
    loader.payload = mapOf("a");
    await manager.sync();
    expect(logged("Tools may not be registered yet")).toEqual([]);
  });

  test("that answers with promises is waited for, but not for ever", async () => {
    const tools: RegistrableTool[] = [];
    const { manager, loader, time, logged } = setUp({
      registry: {
        registerTool: async (tool: RegistrableTool) => {
          await settle();
          if (tool.name === "b__ping") await new Promise<void>(() => {});
          tools.push(tool);
        },
      },
    });
    loader.payload = mapOf("a");
    await manager.sync();
    expect(tools.map(({ name }) => name)).toEqual(["a__ping"]);
    loader.payload = mapOf("a", "b");
    await within(time, 5_000, manager.sync(true));
    expect(logged("Tools may not be registered yet")).toHaveLength(1);
    await within(time, 5_000, manager.disconnect());
  });
});

describe("R6: a manager with nothing but what it must have", () => {
  /** Fake timers, as a user's own tests have them: nothing is injected. */
  function plain(overrides: object = {}) {
    vi.useFakeTimers();
    onTestFinished(() => {
      vi.useRealTimers();
    });
    register.clear();
    const fleet = new Fleet();
    const manager = new ConnectorProxyManager({ ...REQUIRED, createProxy: fleet.create, ...overrides });
    onTestFinished(async () => manager.disconnect());
    return { manager, fleet };
  }

  test("works with a logger without methods, any key, fake timers and the global gauge", async () => {
    const { manager } = plain();
    vi.mocked(loadConnectorServiceMap).mockImplementation(async () =>
      Promise.resolve({ payload: mapOf("a"), expiresAtMs: Date.now() + 60_000 }),
    );
    await manager.sync();
    expect(await register.metrics()).toContain('brainwav_mcp_connector_proxy_up{connector="a"} 1');
    expect(await register.metrics()).toContain('mcp_connector_sync_duration_seconds_count{result="ok"} 1');
    const { calls } = vi.mocked(loadConnectorServiceMap).mock;
    expect(calls).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(360_000);
    expect(calls.length).toBeGreaterThanOrEqual(2);
    await manager.disconnect();
    expect(await register.metrics()).toContain('brainwav_mcp_connector_proxy_up{connector="a"} 0');
    expect(vi.getTimerCount()).toBe(0);
  });

  test("passes on what the loader needs", async () => {
    const { manager } = plain({ apiKey: "the api key", timeoutMs: 123 });
    await expect(manager.sync()).rejects.toBeInstanceOf(ConnectorManifestError);
    const [options] = vi.mocked(loadConnectorServiceMap).mock.calls[0] ?? [];
    expect(options).toMatchObject({ serviceMapUrl: MAP_URL, apiKey: "the api key", timeoutMs: 123 });
  });

  test("refuses an empty signature key, and says what is missing", () => {
    expect(() => new ConnectorProxyManager({ ...REQUIRED, signatureKey: "" })).toThrow("CONNECTORS_SIGNATURE_KEY");
  });

  test("with a URL that is none rejects in words", async () => {
    const { loadConnectorServiceMap: real } = await vi.importActual<typeof serviceMap>("../service-map.js");
    vi.mocked(loadConnectorServiceMap).mockImplementation(real);
    const { manager } = plain({ serviceMapUrl: "not a URL" });
    await expect(manager.sync()).rejects.toThrow("(not a URL)");
  });
});
