import { DEFAULT_NAME_POLICY, GatewayError, toJsonRpcError, type NamePolicy } from "@cortex-os/mcp-core";
import { META, type Era, type JsonObject, type JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import { fixedRandom, ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { RecordingSink } from "../../__tests__/support/recording-sink.js";
import { specOf } from "../../__tests__/support/specs.js";
import { settle, TestUpstreams } from "../../__tests__/support/test-upstreams.js";
import { DEFAULT_CATALOG_POLICY } from "../../catalog/catalog.js";
import { ConnectorDirectory } from "../../connectors/connector-directory.js";
import { DEFAULT_STARTUP } from "../../connectors/start-gate.js";
import { Router } from "../router.js";
import { Subscriptions } from "../subscriptions.js";

const CALLER = { era: "modern", revision: "2026-07-28", principal: "anonymous" } as const;

async function setUp(
  keys: readonly string[],
  options: { names?: Partial<NamePolicy>; disabled?: string; pageSize?: number } = {},
) {
  const time = new ManualTime();
  const upstreams = new TestUpstreams();
  const names = { ...DEFAULT_NAME_POLICY, ...options.names };
  const directory = new ConnectorDirectory({
    createUpstream: upstreams.create,
    clock: time,
    monotonic: time,
    timers: time,
    random: fixedRandom(0.5),
    logger: new RecordingLogger(),
    sources: [
      {
        origin: "registry",
        start: async (listener) => {
          listener(keys.map((key) => specOf(key, { disabled: key === options.disabled })));
          await Promise.resolve();
        },
        reload: async () => Promise.resolve(),
        close: async () => Promise.resolve(),
      },
    ],
    catalogPolicy: { ...DEFAULT_CATALOG_POLICY, names, pageSize: options.pageSize ?? 1_000 },
    startup: DEFAULT_STARTUP,
    onChange: () => {},
    onSync: () => {},
  });
  const observed: unknown[] = [];
  const subscriptions = new Subscriptions();
  const router = new Router({
    directory,
    subscriptions,
    monotonic: time,
    observeCall: (...call) => observed.push(call),
    serverInfo: { name: "cortex-mcp", version: "1.2.3" },
    separator: names.prefix === "always" ? names.separator : undefined,
    discoverTtlMs: 300_000,
  });
  await directory.start();
  await settle();
  const ask = (method: string, params?: JsonObject, era: Era = "modern", id: string | number = 1) => {
    const sink = new RecordingSink();
    const message: JsonRpcRequest = { jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) };
    const exchange = router.handle({ message, caller: { ...CALLER, era } }, sink);
    return { sink, exchange };
  };
  return { time, upstreams, directory, router, subscriptions, observed, ask };
}

/** A router over one connector that is up and offers `x`. */
async function ready() {
  const parts = await setUp(["a"]);
  await parts.upstreams.of("a").serve("x");
  await settle();
  return parts;
}

describe("the router's methods, by era (R22)", () => {
  const METHODS = [
    "initialize",
    "ping",
    "server/discover",
    "subscriptions/listen",
    "tools/list",
    "tools/call",
    "resources/list",
    "prompts/get",
    "completion/complete",
    "logging/setLevel",
    "tasks/get",
    "Tools/List",
    "constructor",
    "__proto__",
    "",
  ];
  const SERVED: Record<Era, readonly string[]> = {
    modern: ["server/discover", "subscriptions/listen", "tools/list", "tools/call"],
    legacy: ["ping", "tools/list", "tools/call"],
  };

  for (const era of ["modern", "legacy"] as const) {
    test.each(METHODS)(`%j in the ${era} era is served, or unknown with −32601`, async (method) => {
      const { ask } = await ready();
      const { sink } = ask(method, { name: "a__x" }, era);
      const unknown = sink.events.some((event) => event.kind === "fail" && event.error.code === "METHOD_UNKNOWN");
      expect(unknown).toBe(!SERVED[era].includes(method));
      if (unknown)
        expect(toJsonRpcError(sink.failure)).toEqual({ code: -32_601, message: `Method not found: ${method}` });
    });
  }

  test("a long unknown method is not repeated whole", async () => {
    const { ask } = await ready();
    expect(ask("x".repeat(5_000)).sink.failure.message).toHaveLength("Method not found: ".length + 100);
  });

  test("server/discover tells revisions, capabilities and how long to keep them", async () => {
    const { ask } = await ready();
    expect(ask("server/discover").sink.only).toEqual({
      kind: "result",
      id: 1,
      result: {
        resultType: "complete",
        supportedVersions: ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"],
        capabilities: { tools: { listChanged: true } },
        _meta: { [META.serverInfo]: { name: "cortex-mcp", version: "1.2.3" } },
        ttlMs: 300_000,
        cacheScope: "public",
      },
    });
  });

  test("ping is answered with an empty result", async () => {
    const { ask } = await ready();
    expect(ask("ping", undefined, "legacy", "p").sink.only).toEqual({ kind: "result", id: "p", result: {} });
  });

  test("subscriptions/listen opens a subscription", async () => {
    const { ask, subscriptions } = await ready();
    const { exchange } = ask("subscriptions/listen", { notifications: { toolsListChanged: true } });
    expect(subscriptions.size).toBe(1);
    exchange.cancel();
    expect(subscriptions.size).toBe(0);
  });
});

describe("the router's lists", () => {
  test("come from the catalog in the era of the client", async () => {
    const { ask } = await ready();
    expect(ask("tools/list").sink.only).toMatchObject({
      result: { resultType: "complete", tools: [{ name: "a__x" }] },
    });
    const legacy = ask("tools/list", {}, "legacy").sink.only;
    expect(legacy).toEqual({
      kind: "result",
      id: 1,
      result: { tools: [{ name: "a__x", inputSchema: { type: "object" } }] },
    });
  });

  test("go on at a cursor, from the start at an empty one", async () => {
    const { ask, upstreams } = await setUp(["a"], { pageSize: 1 });
    await upstreams.of("a").serve("x", "y");
    await settle();
    const first = ask("tools/list", { cursor: "" }).sink.only;
    if (first.kind !== "result") throw new Error("no result");
    const { nextCursor } = first.result as { nextCursor: string };
    expect(ask("tools/list", { cursor: nextCursor }).sink.only).toMatchObject({
      result: { tools: [{ name: "a__y" }] },
    });
  });

  test.each([["!"], [7], [null], [{}]])("refuse the cursor %j with −32602", async (cursor) => {
    const { ask } = await ready();
    expect(toJsonRpcError(ask("tools/list", { cursor }).sink.failure)).toEqual({
      code: -32_602,
      message: "Invalid cursor: list again from the start",
    });
  });

  test("wait while connectors start, and are answered when they have settled", async () => {
    const { ask, upstreams } = await setUp(["a"]);
    const { sink } = ask("tools/list");
    expect(sink.events).toEqual([]);
    await upstreams.of("a").serve("x");
    await settle();
    expect(sink.only).toMatchObject({ result: { tools: [{ name: "a__x" }] } });
  });

  test("are never empty while starting: −31004 with the reasons when nothing came up", async () => {
    const { ask, upstreams, time } = await setUp(["a", "b"]);
    const waiting = ask("tools/list");
    upstreams.of("b").goDown("refused");
    await time.advance(20_000);
    const error = { code: -31_004, message: "No connector is up yet. a: connecting; b: refused" };
    expect(toJsonRpcError(waiting.sink.failure)).toEqual(error);
    expect(toJsonRpcError(ask("tools/list", {}, "legacy").sink.failure)).toEqual(error);
  });

  test("that were cancelled before the gate opened are never answered", async () => {
    const { ask, upstreams } = await setUp(["a"]);
    const { sink, exchange } = ask("tools/list");
    exchange.resume();
    exchange.cancel("the client disconnected");
    await upstreams.of("a").serve("x");
    await settle();
    expect(sink.events).toEqual([]);
  });

  test("are empty when no connector is configured", async () => {
    const { ask } = await setUp([]);
    expect(ask("tools/list").sink.only).toMatchObject({ result: { tools: [] } });
  });
});

describe("the router's calls", () => {
  test("reach the upstream under its own name, with the caller's params otherwise untouched and not changed", async () => {
    const { router, upstreams, observed, time } = await ready();
    const params = Object.freeze({ name: "a__x", arguments: { deep: [1] }, _meta: { progressToken: 7 } });
    const sink = new RecordingSink();
    router.handle(
      {
        message: { jsonrpc: "2.0", id: "c1", method: "tools/call", params },
        caller: { ...CALLER, sessionKey: "s" },
        paramHeaders: { "mcp-param-region": "eu" },
      },
      sink,
    );
    const [sent] = upstreams.of("a").sent;
    expect(sent?.call).toEqual({
      id: "c1",
      method: "tools/call",
      params: { name: "x", arguments: { deep: [1] }, _meta: { progressToken: 7 } },
      caller: { ...CALLER, sessionKey: "s" },
      paramHeaders: { "mcp-param-region": "eu" },
    });
    expect(sent?.call.params?.["arguments"]).toBe(params.arguments);
    expect(Object.keys(sent?.call.params ?? {})).toEqual(["name", "arguments", "_meta"]);
    await time.advance(40);
    sent?.sink.respond({ jsonrpc: "2.0", id: "c1", result: {} });
    expect(sink.only).toEqual({ kind: "respond", response: { jsonrpc: "2.0", id: "c1", result: {} } });
    expect(observed).toEqual([["a", "answered", 0.04]]);
  });

  test("pass the caller's own params object on when no name has to change", async () => {
    const { ask, upstreams } = await setUp(["a"], { names: { prefix: "never" } });
    await upstreams.of("a").serve("x");
    await settle();
    const params = { name: "x" };
    ask("tools/call", params);
    expect(upstreams.of("a").sent[0]?.call.params).toBe(params);
    expect(upstreams.of("a").sent[0]?.call).not.toHaveProperty("paramHeaders");
  });

  test("are cancelled and resumed at the upstream", async () => {
    const { ask, upstreams } = await ready();
    const { exchange } = ask("tools/call", { name: "a__x" });
    exchange.resume();
    exchange.cancel("enough");
    expect(upstreams.of("a").sent).toMatchObject([{ cancelled: "enough", resumed: 1 }]);
  });

  test.each([[undefined], [{}], [{ name: 7 }], [{ name: null }], [{ Name: "a__x" }]])(
    "without a tool's name (%j) are refused with −32602",
    async (params) => {
      const { ask } = await ready();
      expect(toJsonRpcError(ask("tools/call", params).sink.failure)).toEqual({
        code: -32_602,
        message: "params.name must be the name of a tool",
      });
    },
  );

  test.each(["x", "a__y", "b__x", "A__x", "a__x ", "__proto__", "constructor", ""])(
    "of the unknown tool %j are refused with −32602",
    async (name) => {
      const { ask, upstreams } = await ready();
      expect(toJsonRpcError(ask("tools/call", { name }).sink.failure)).toEqual({
        code: -32_602,
        message: `Unknown tool: ${JSON.stringify(name)}`,
      });
      expect(upstreams.of("a").sent).toEqual([]);
    },
  );

  test("of a tool with a name as long as a book get a short answer", async () => {
    const { ask } = await ready();
    expect(ask("tools/call", { name: "n".repeat(100_000) }).sink.failure.message.length).toBeLessThan(250);
  });

  test("of a connector that never came up fail with −31001 and the reason", async () => {
    const { ask, upstreams } = await setUp(["a", "down"]);
    upstreams.of("down").goDown("connection refused");
    await upstreams.of("a").serve("x");
    await settle();
    expect(toJsonRpcError(ask("tools/call", { name: "down__x" }).sink.failure)).toEqual({
      code: -31_001,
      message: 'Tool "down__x" is not available: connector "down" is down: connection refused',
    });
  });

  test("of a connector that is disabled or still connecting say so", async () => {
    const { ask, time } = await setUp(["off", "slow"], { disabled: "off" });
    await time.advance(20_000);
    expect(ask("tools/call", { name: "off__x" }).sink.failure.message).toContain('connector "off" is disabled');
    expect(ask("tools/call", { name: "slow__x" }).sink.failure.message).toContain('connector "slow" is connecting');
  });

  test("find the connector that is down also when another's key begins the name too", async () => {
    const { ask, upstreams } = await setUp(["a", "a__b"]);
    await upstreams.of("a").serve("x");
    upstreams.of("a__b").goDown("refused");
    await settle();
    expect(ask("tools/call", { name: "a__b__x" }).sink.failure.code).toBe("UPSTREAM_UNAVAILABLE");
  });

  test("of a tool that a connector no longer lists are unknown, also while it is down", async () => {
    const { ask, upstreams } = await ready();
    upstreams.of("a").goDown("gone");
    await settle();
    expect(ask("tools/call", { name: "a__y" }).sink.failure.code).toBe("TOOL_UNKNOWN");
  });

  test("explain nothing when names are not always prefixed", async () => {
    const { ask, upstreams } = await setUp(["a", "b"], { names: { prefix: "auto" } });
    upstreams.of("a").goDown("refused");
    await upstreams.of("b").serve("y");
    await settle();
    expect(ask("tools/call", { name: "a__x" }).sink.failure.code).toBe("TOOL_UNKNOWN");
  });

  test("of a tool whose connector is down go to its upstream, which fails them at once with the reason", async () => {
    const { ask, upstreams, observed } = await ready();
    upstreams.of("a").goDown("gone");
    const { sink } = ask("tools/call", { name: "a__x" });
    upstreams.of("a").sent[0]?.sink.fail(new GatewayError("UPSTREAM_UNAVAILABLE", "a is down: gone"));
    expect(sink.failure.code).toBe("UPSTREAM_UNAVAILABLE");
    expect(observed).toEqual([["a", "failed", 0]]);
  });

  test("of a tool that is still listed but whose connector just left are unknown", async () => {
    const { ask, directory } = await ready();
    directory.find = () => undefined;
    expect(ask("tools/call", { name: "a__x" }).sink.failure.code).toBe("TOOL_UNKNOWN");
  });

  test("that come while connectors start go out as soon as the tool is there", async () => {
    const { ask, upstreams } = await setUp(["a", "b"]);
    const waiting = ask("tools/call", { name: "a__x" });
    const cancelled = ask("tools/call", { name: "a__x" }, "legacy", 2);
    const unknown = ask("tools/call", { name: "a__y" });
    cancelled.exchange.cancel("changed my mind");
    await upstreams.of("a").serve("x");
    upstreams.of("b").goDown("refused");
    await settle();
    expect(upstreams.of("a").sent.map(({ call }) => call.id)).toEqual([1]);
    expect(unknown.sink.failure.code).toBe("TOOL_UNKNOWN");
    waiting.exchange.cancel("late");
    expect(upstreams.of("a").sent[0]?.cancelled).toBe("late");
  });

  test("of a tool that is known already need not wait for the other connectors", async () => {
    const { ask, upstreams, directory } = await setUp(["a", "b"]);
    await upstreams.of("a").serve("x");
    await settle();
    expect(directory.gate.isOpen).toBe(false);
    ask("tools/call", { name: "a__x" });
    expect(upstreams.of("a").sent).toHaveLength(1);
  });
});
