import { afterEach, describe, expect, test, vi } from "vitest";
import { settle, toolOf } from "../../__tests__/support/test-upstreams.js";
import { ConnectorManifestError } from "../connector-manifest-error.js";
import { loadConnectorServiceMap } from "../service-map.js";
import { entryOf, ids, MAP_URL, mapOf, setUpManager, TTL_MS, within } from "./manager-set-up.js";

// As the plan's own tests do it: nothing of the module but the loader is there.
vi.mock("../service-map.js", () => ({ loadConnectorServiceMap: vi.fn<() => Promise<never>>() }));

/** A manager whose map the test gives. */
function setUp(...args: Parameters<typeof setUpManager>) {
  const it = setUpManager(...args);
  vi.mocked(loadConnectorServiceMap).mockImplementation(it.loader.load);
  return it;
}

const never = async (): Promise<void> => new Promise<void>(() => {});

afterEach(() => {
  vi.mocked(loadConnectorServiceMap).mockReset();
});

describe("R19: the manager's cells", () => {
  test("R19 happy: 10 connectors are connected, their tools registered and the gauge up when sync() resolves", async () => {
    const { manager, loader, fleet, registry, up } = setUp();
    loader.payload = mapOf(...ids(10));
    await manager.sync();
    expect(fleet.ids).toEqual(ids(10));
    expect(registry.names).toEqual(ids(10).map((id) => `${id}__ping`));
    expect(Object.values(await up())).toEqual(Array.from({ length: 10 }, () => 1));
    expect(manager.listConnectors().map(({ id, status }) => `${id} ${status}`)).toEqual(
      ids(10).map((id) => `${id} enabled`),
    );
  });

  test("R19 boundary: 0 connectors are a map like any other", async () => {
    const { manager, loader, fleet, registry } = setUp();
    loader.payload = mapOf();
    await manager.sync();
    expect([manager.listConnectors(), fleet.made, registry.registered, loader.loads]).toEqual([[], [], [], 1]);
  });

  test("R19 error: one that fails is logged with message and stack, is down, and changes nothing for the others", async () => {
    const { manager, loader, fleet, registry, up, logged } = setUp();
    loader.payload = mapOf(...ids(10));
    const failure = new Error("boom");
    fleet.behaviour.set("c3", { connect: async () => Promise.reject(failure) });
    await manager.sync();
    expect(registry.names).toHaveLength(9);
    expect(await up()).toEqual(Object.fromEntries(ids(10).map((id) => [id, id === "c3" ? 0 : 1])));
    expect(logged("Connector sync failed")).toEqual([
      {
        level: "warn",
        fields: { brand: "brAInwav", connectorId: "c3", error: "boom", err: failure },
        message: "Connector sync failed",
      },
    ]);
  });

  test("R19 idempotency: force fetches although the map is fresh, and leaves what is the same alone", async () => {
    const { manager, loader, fleet, registry } = setUp();
    loader.payload = mapOf("a", "b");
    await manager.sync();
    await manager.sync(true);
    expect([loader.loads, fleet.ids, registry.registered]).toEqual([2, ["a", "b"], ["a__ping", "b__ping"]]);
  });

  test("R19 idempotency: without force a fresh map is used as it is, and that is said at debug", async () => {
    const { manager, loader, logged } = setUp();
    loader.payload = mapOf("a");
    await manager.sync();
    await manager.sync();
    expect(loader.loads).toBe(1);
    expect(logged("Using cached manifest")).toMatchObject([{ level: "debug", fields: { brand: "brAInwav" } }]);
  });

  test("R19 time-skew: with the cache expired, sync() fetches and applies what came", async () => {
    vi.stubEnv("MCP_CONNECTOR_REFRESH_SYNC", "true");
    const { manager, loader, time, registry } = setUp();
    loader.payload = mapOf("a", "b");
    await manager.sync();
    loader.payload = mapOf("b", "c");
    await time.advance(TTL_MS - 1);
    await manager.sync();
    expect([loader.loads, registry.names]).toEqual([1, ["a__ping", "b__ping"]]);
    await time.advance(1);
    await manager.sync();
    expect([loader.loads, registry.names]).toEqual([2, ["b__ping", "c__ping"]]);
  });

  test("R19 cancellation: disconnect during the fetch ends the sync at once", async () => {
    const { manager, loader, fleet } = setUp();
    loader.gate = never();
    const syncing = expect(manager.sync()).rejects.toBeInstanceOf(ConnectorManifestError);
    await settle();
    // Nobody waits for it, and the loader does not heed its signal.
    void manager.disconnect();
    await syncing;
    expect([loader.loads, fleet.made]).toEqual([1, []]);
    expect(vi.mocked(loadConnectorServiceMap).mock.calls[0]?.[0].signal?.aborted).toBe(true);
  });

  test("R19 cancellation: disconnect while connectors start ends the sync, and nothing is registered any more", async () => {
    const { manager, loader, fleet, registry, time, up } = setUp();
    loader.payload = mapOf(...ids(10));
    for (const id of ids(10)) fleet.behaviour.set(id, { connect: never });
    const syncing = manager.sync();
    await settle();
    expect(fleet.inFlight).toBe(4);
    await manager.disconnect();
    await syncing;
    expect([registry.registered, fleet.disconnected, time.pending]).toEqual([[], ids(4), 0]);
    expect(await up()).toEqual(Object.fromEntries(ids(10).map((id) => [id, 0])));
  });
});

describe("R6: connectors start four at a time", () => {
  test("exactly: never more, and as many while there are more", async () => {
    const { manager, loader, fleet, time } = setUp();
    loader.payload = mapOf(...ids(10));
    for (const id of ids(10)) {
      fleet.behaviour.set(id, {
        connect: async () =>
          new Promise<void>((resolve) => {
            time.after(500, resolve);
          }),
      });
    }
    const syncing = manager.sync();
    for (const begun of [4, 8, 10]) {
      await settle();
      expect([fleet.connected.length, fleet.inFlight]).toEqual([begun, begun === 10 ? 2 : 4]);
      await time.advance(500);
    }
    await syncing;
    expect(fleet.most).toBe(4);
  });

  test("another width can be given", async () => {
    const { manager, loader, fleet } = setUp({ concurrency: 2 });
    loader.payload = mapOf(...ids(6));
    await manager.sync();
    expect([fleet.most, fleet.connected.length]).toEqual([2, 6]);
    expect(() => setUpManager({ concurrency: 0 })).toThrow(TypeError);
  });

  test("one that hangs has its own deadline, after which it is down, logged, and the sync resolves", async () => {
    const { manager, loader, fleet, registry, up, logged, time } = setUp();
    loader.payload = mapOf(entryOf("slow", { timeouts: { connectMs: 700 } }), ...ids(9));
    fleet.behaviour.set("slow", { connect: never });
    await within(time, 700, manager.sync());
    expect(registry.names).toEqual(ids(9).map((id) => `${id}__ping`));
    expect(await up()).toMatchObject({ slow: 0, c0: 1, c8: 1 });
    expect(logged("Connector sync failed")).toMatchObject([
      { fields: { connectorId: "slow", error: 'Connector "slow" could not be connected within 700 ms' } },
    ]);
  });

  test("one that never lists is down after 30 seconds", async () => {
    const { manager, loader, fleet, registry, up, time } = setUp();
    loader.payload = mapOf("mute", "a");
    fleet.behaviour.set("mute", { getTools: never });
    await within(time, 30_000, manager.sync());
    expect([registry.names, await up()]).toEqual([["a__ping"], { a: 1, mute: 0 }]);
  });

  test.each([
    ["undefined", undefined],
    ["text", "<html>"],
    ["an object", { tools: [] }],
    ["a number that is no JSON", [{ name: "t", big: 1n }]],
  ])("one that answers nonsense (%s) is down, logged, and changes nothing for the others", async (_what, tools) => {
    const { manager, loader, fleet, registry, up, logged } = setUp();
    loader.payload = mapOf("odd", "a");
    fleet.behaviour.set("odd", { getTools: () => tools });
    await manager.sync();
    expect([registry.names, await up()]).toEqual([["a__ping"], { a: 1, odd: 0 }]);
    expect(logged("Connector sync failed")).toMatchObject([
      { level: "warn", fields: { brand: "brAInwav", connectorId: "odd", err: { code: "UPSTREAM_PROTOCOL" } } },
    ]);
  });

  test("an upstream that says it is not up, though it connected, is not shown as up", async () => {
    const { manager, loader, fleet, registry, up } = setUp();
    loader.payload = mapOf("a");
    fleet.behaviour.set("a", { connect: () => fleet.newest("a").onAvailability(false, "warming up") });
    await manager.sync();
    expect([registry.names, await up()]).toEqual([[], { a: 0 }]);
    fleet.newest("a").onAvailability(true);
    await settle();
    expect([registry.names, await up()]).toEqual([["a__ping"], { a: 1 }]);
    fleet.newest("a").onAvailability(false, "gone");
    expect([registry.names, await up()]).toEqual([["a__ping"], { a: 0 }]);
  });
});

describe("R6: what a connector's proxy gets", () => {
  test("endpoint, headers with our credential, and the agent that all share", async () => {
    const { manager, loader, fleet } = setUp();
    loader.payload = mapOf(
      entryOf("bearer", { headers: { "X-Own": "1" } }),
      entryOf("header", { auth: { type: "apiKey", headerName: "X-Api-Key" } }),
      entryOf("open", { auth: { type: "none" } }),
    );
    await manager.sync();
    expect(fleet.made.map(({ url, headers }) => [url, headers])).toEqual([
      ["https://bearer.example/mcp", { "X-Own": "1", Authorization: "Bearer the connectors' key" }],
      ["https://header.example/mcp", { "X-Api-Key": "the connectors' key" }],
      ["https://open.example/mcp", {}],
    ]);
    expect(new Set(fleet.made.map(({ agent }) => agent)).size).toBe(1);
    expect(vi.mocked(loadConnectorServiceMap).mock.calls[0]?.[0]).toMatchObject({
      serviceMapUrl: MAP_URL,
      agent: fleet.made[0]?.agent,
    });
  });

  test("nothing when its endpoint cannot be used: then it is down", async () => {
    const { manager, loader, fleet, registry, up } = setUp();
    loader.payload = mapOf(entryOf("file", { endpoint: "file:///etc/passwd" }), "a");
    await manager.sync();
    expect([fleet.ids, registry.names, await up()]).toEqual([["a"], ["a__ping"], { a: 1, file: 0 }]);
  });

  test("a call goes to the upstream's own name of the tool, also when names are made otherwise", async () => {
    const { manager, loader, fleet, registry } = setUp({ names: { prefix: "never" } });
    loader.payload = mapOf("a");
    const callTool = vi.fn<(name: string, args: unknown) => unknown>(() => ({ content: [], isError: false }));
    fleet.behaviour.set("a", { getTools: () => [toolOf("say it")], callTool });
    await manager.sync();
    const [name = ""] = registry.names;
    expect(name).toMatch(/^say_it_/);
    expect(await registry.get(name).handler({ x: 1 })).toEqual({ content: [], isError: false });
    expect(callTool.mock.calls).toEqual([["say it", { x: 1 }]]);
  });
});
