import { toJsonRpcError } from "@cortex-os/mcp-core";
import { META, type Era } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { settle } from "../../__tests__/support/test-upstreams.js";
import { ready, setUp } from "./router-set-up.js";

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
    "logging/setlevel",
    "sampling/createMessage",
    "notifications/cancelled",
    "Tools/List",
    "TOOLS/CALL",
    "constructor",
    "__proto__",
    "",
  ];
  const SERVED: Record<Era, readonly string[]> = {
    modern: ["server/discover", "subscriptions/listen"],
    legacy: ["ping", "logging/setLevel"],
  };
  const IN_BOTH = ["tools/list", "tools/call", "resources/list", "prompts/get", "completion/complete"];
  /** Nothing of the protocol: what nobody here knows goes to the only connector there is. */
  const PASSED_ON = ["constructor", "__proto__"];

  for (const era of ["modern", "legacy"] as const) {
    test.each(METHODS)(`%j in the ${era} era is served, or unknown with −32601`, async (method) => {
      const { ask } = await ready();
      const { sink } = ask(method, { name: "a__x" }, era);
      const unknown = sink.events.some((event) => event.kind === "fail" && event.error.code === "METHOD_UNKNOWN");
      expect(unknown).toBe(![...SERVED[era], ...IN_BOTH, ...PASSED_ON].includes(method));
      if (unknown)
        expect(toJsonRpcError(sink.failure)).toEqual({ code: -32_601, message: `Method not found: ${method}` });
    });
  }

  test("a long unknown method is not repeated whole", async () => {
    const { ask } = await ready();
    expect(ask(`notifications/${"x".repeat(5_000)}`).sink.failure.message).toHaveLength(
      "Method not found: ".length + 100,
    );
  });

  test("server/discover tells revisions, capabilities and how long to keep them", async () => {
    const { ask } = await ready();
    expect(ask("server/discover").sink.only).toEqual({
      kind: "result",
      id: 1,
      result: {
        resultType: "complete",
        supportedVersions: ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"],
        capabilities: {
          tools: { listChanged: true },
          resources: { listChanged: true, subscribe: true },
          prompts: { listChanged: true },
          completions: {},
          logging: {},
        },
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
    const error = {
      code: -31_004,
      message: 'No connector is up yet: connector "a" is connecting; connector "b" is down: refused',
    };
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

test("a bug of ours costs one request and not the process: −32603, also when it waited", async () => {
  const { ask, directory, bugs, upstreams } = await setUp(["a"]);
  const waiting = ask("tools/call", { name: "a__x" });
  directory.find = () => {
    throw new TypeError("a bug");
  };
  await upstreams.of("a").serve("x");
  await settle();
  expect(toJsonRpcError(waiting.sink.failure)).toEqual({ code: -32_603, message: "Internal error" });
  expect(toJsonRpcError(ask("tools/call", { name: "a__x" }).sink.failure).code).toBe(-32_603);
  expect(bugs).toEqual([expect.any(TypeError), expect.any(TypeError)]);
});
