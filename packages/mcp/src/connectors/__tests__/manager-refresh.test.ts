import { afterEach, describe, expect, test, vi } from "vitest";
import { settle, toolOf } from "../../__tests__/support/test-upstreams.js";
import { ConnectorManifestError } from "../connector-manifest-error.js";
import { loadConnectorServiceMap } from "../service-map.js";
import { entryOf, ids, MAP_URL, mapOf, setUpManager, TTL_MS } from "./manager-set-up.js";

vi.mock("../service-map.js", () => ({ loadConnectorServiceMap: vi.fn<() => Promise<never>>() }));

const INTERVAL_MS = 300_000;
const DAY_MS = 24 * 3_600_000;

function setUp(...args: Parameters<typeof setUpManager>) {
  const it = setUpManager(...args);
  vi.mocked(loadConnectorServiceMap).mockImplementation(it.loader.load);
  return it;
}

afterEach(() => {
  vi.mocked(loadConnectorServiceMap).mockReset();
});

describe("R6: refreshes in the background", () => {
  test("begin with the construction, and a map that they bring is applied without anybody calling sync()", async () => {
    const { manager, loader, registry, time, logged } = setUp();
    loader.payload = mapOf("a");
    expect([loader.loads, time.delays]).toEqual([0, [INTERVAL_MS]]);
    await time.advance(INTERVAL_MS);
    await settle();
    expect([loader.loads, registry.names]).toEqual([1, ["a__ping"]]);
    loader.payload = mapOf("a", "b");
    await time.advance(INTERVAL_MS);
    await settle();
    expect([registry.names, manager.listConnectors().length]).toEqual([["a__ping", "b__ping"], 2]);
    expect(logged("Refresh completed")).toHaveLength(2);
  });

  test("R7: are off in synchronous mode, where there is no timer at all", async () => {
    vi.stubEnv("MCP_CONNECTOR_REFRESH_SYNC", "true");
    const { manager, loader, time, registry } = setUp();
    loader.payload = mapOf("a");
    await time.advance(DAY_MS);
    expect([loader.loads, time.pending]).toEqual([0, 0]);
    await manager.sync();
    expect([loader.loads, registry.names]).toEqual([1, ["a__ping"]]);
  });

  test("R7: come as often as the environment says; a value that is none is warned of by name", () => {
    vi.stubEnv("MCP_CONNECTOR_REFRESH_INTERVAL_MS", "1000");
    expect(setUp().time.delays).toEqual([1_000]);
    vi.stubEnv("MCP_CONNECTOR_REFRESH_INTERVAL_MS", "often");
    const { time, logger } = setUp();
    expect(time.delays).toEqual([INTERVAL_MS]);
    expect(logger.lines).toMatchObject([
      { level: "warn", fields: { brand: "brAInwav", variable: "MCP_CONNECTOR_REFRESH_INTERVAL_MS" } },
    ]);
  });
});

describe("R6: sync()", () => {
  test("a thousand at once share one fetch, and each connector is connected once", async () => {
    const { manager, loader, fleet } = setUp();
    loader.payload = mapOf(...ids(10));
    await Promise.all(Array.from({ length: 1_000 }, async (_none, at) => manager.sync(at % 2 === 0)));
    expect([loader.loads, fleet.connected.toSorted()]).toEqual([1, ids(10)]);
  });

  test("rejects with ConnectorManifestError when there is nothing to serve, and the next one tries again", async () => {
    const { manager, loader, registry } = setUp();
    const failure = new ConnectorManifestError("network", "cannot be reached", { url: MAP_URL });
    loader.failure = failure;
    await expect(manager.sync()).rejects.toBe(failure);
    loader.failure = new Error("some other failure");
    await expect(manager.sync()).rejects.toBeInstanceOf(ConnectorManifestError);
    expect(manager.listConnectors()).toEqual([]);
    loader.payload = mapOf("a");
    await manager.sync();
    expect(registry.names).toEqual(["a__ping"]);
  });

  test("after such a failure the manager goes on trying by itself", async () => {
    const { manager, loader, registry, time } = setUp();
    await expect(manager.sync()).rejects.toBeInstanceOf(ConnectorManifestError);
    loader.payload = mapOf("a");
    await time.advance(1_000);
    await settle();
    expect(registry.names).toEqual(["a__ping"]);
  });

  test("serves the last good map while the publisher is away, for seven days and no longer; then it comes back", async () => {
    const { manager, loader, registry, fleet, time, up } = setUp();
    const payload = mapOf("a");
    loader.payload = payload;
    await manager.sync();
    loader.payload = undefined;
    await time.advance(7 * DAY_MS);
    await manager.sync(true);
    await manager.sync();
    expect([registry.names, manager.listConnectors().length, fleet.ids]).toEqual([["a__ping"], 1, ["a"]]);
    await time.advance(TTL_MS);
    await settle();
    expect([registry.names, manager.listConnectors(), await up()]).toEqual([[], [], { a: 0 }]);
    expect(fleet.disconnected).toEqual(["a"]);
    await expect(manager.sync()).rejects.toBeInstanceOf(ConnectorManifestError);
    loader.payload = { ...payload, generatedAt: new Date(time.now()).toISOString() };
    await time.advance(60_000);
    await manager.sync(true);
    expect([registry.names, await up()]).toEqual([["a__ping"], { a: 1 }]);
  });

  test("with a map that is fetched, connectors that are down try again and are waited for; with a cached one they are left to their backoff", async () => {
    const { manager, loader, registry, fleet } = setUp();
    loader.payload = mapOf("a", "b");
    fleet.behaviour.set("a", { connect: async () => Promise.reject(new Error("refused")) });
    await manager.sync();
    await manager.sync();
    expect(fleet.connected).toEqual(["a", "b"]);
    await manager.sync(true);
    expect([fleet.connected, registry.names]).toEqual([["a", "b", "a"], ["b__ping"]]);
    fleet.behaviour.delete("a");
    await manager.sync(true);
    expect([fleet.connected.length, registry.names]).toEqual([4, ["a__ping", "b__ping"]]);
    expect(fleet.ids).toEqual(["a", "b"]);
  });
});

describe("R6: reconciling", () => {
  test.each([
    ["endpoint", { endpoint: "https://elsewhere.example/mcp" }],
    ["auth", { auth: { type: "apiKey", headerName: "X-Key" } }],
    ["version", { version: "2.0.0" }],
    ["headers", { headers: { "X-Own": "1" } }],
  ] as const)("a connector with another %s is reconnected, and no other is touched", async (_what, change) => {
    const { manager, loader, registry, fleet } = setUp();
    loader.payload = mapOf("a", "b");
    await manager.sync();
    loader.payload = mapOf(entryOf("a", change), "b");
    await manager.sync(true);
    expect([fleet.ids, fleet.disconnected]).toEqual([["a", "b", "a"], ["a"]]);
    // What it offers is the same: its tools were never away.
    expect([registry.names, registry.unregistered]).toEqual([["a__ping", "b__ping"], []]);
  });

  test.each([
    ["its description", { description: "other words" }],
    ["its tags", { tags: ["x"] }],
    ["a field nobody knows", { future: 1 }],
    ["its spelling", { name: undefined, displayName: "a", status: undefined, enabled: true }],
  ])("a connector of which only %s changed keeps its proxy", async (_what, change) => {
    const { manager, loader, registry, fleet } = setUp();
    loader.payload = mapOf("a");
    await manager.sync();
    loader.payload = mapOf(entryOf("a", change));
    await manager.sync(true);
    expect([fleet.ids, fleet.connected, registry.registered]).toEqual([["a"], ["a"], ["a__ping"]]);
  });

  test("a connector that left the map loses its tools, its connection and its place in the gauge", async () => {
    const { manager, loader, registry, fleet, up } = setUp();
    loader.payload = mapOf("a", "b");
    await manager.sync();
    loader.payload = mapOf("b");
    await manager.sync(true);
    expect([registry.names, registry.unregistered, fleet.disconnected, await up()]).toEqual([
      ["b__ping"],
      ["a__ping"],
      ["a"],
      { b: 1 },
    ]);
  });

  test.each([{ status: "disabled" }, { status: undefined, enabled: false }])(
    "a connector that is disabled (%j) loses tools and connection, stays listed, and comes back",
    async (disabled) => {
      const { manager, loader, registry, fleet, up } = setUp();
      loader.payload = mapOf("a", "b");
      await manager.sync();
      loader.payload = mapOf(entryOf("a", disabled), "b");
      await manager.sync(true);
      expect([registry.names, fleet.disconnected, await up()]).toEqual([["b__ping"], ["a"], { a: 0, b: 1 }]);
      expect(manager.listConnectors().map(({ id, status }) => [id, status])).toEqual([
        ["a", "disabled"],
        ["b", "enabled"],
      ]);
      loader.payload = mapOf("a", "b");
      await manager.sync(true);
      expect([registry.names, await up()]).toEqual([["a__ping", "b__ping"], { a: 1, b: 1 }]);
    },
  );

  test("a connector that failed heals without a new map, on its own backoff", async () => {
    const { manager, loader, registry, fleet, time, up } = setUp();
    loader.payload = mapOf("a");
    fleet.behaviour.set("a", { connect: async () => Promise.reject(new Error("refused")) });
    await manager.sync();
    fleet.behaviour.delete("a");
    await time.advance(100);
    await settle();
    expect([registry.names, await up(), loader.loads]).toEqual([["a__ping"], { a: 1 }, 1]);
  });

  test("tools that an upstream changed are registered anew when it says so", async () => {
    const { manager, loader, registry, fleet } = setUp();
    loader.payload = mapOf("a");
    await manager.sync();
    fleet.behaviour.set("a", { getTools: () => [{ ...toolOf("ping"), description: "new" }, toolOf("pong")] });
    fleet.newest("a").onToolsChanged();
    await settle();
    expect(registry.names).toEqual(["a__ping", "a__pong"]);
    expect(registry.get("a__ping").description).toBe("new");
  });

  test("names that two connectors claim are refused to both, and logged", async () => {
    const { manager, loader, registry, logged } = setUp({ names: { prefix: "never" } });
    loader.payload = mapOf("a", "b");
    await manager.sync();
    expect(registry.names).toEqual([]);
    expect(logged("Tool name claimed more than once: all of them are refused")).toMatchObject([
      { level: "warn", fields: { brand: "brAInwav", name: "ping", claimants: ["a/ping", "b/ping"] } },
    ]);
  });
});
