import { GatewayError } from "@cortex-os/mcp-core";
import type { JsonObject, JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { RecordingSink } from "../../__tests__/support/recording-sink.js";
import { settle, toolOf } from "../../__tests__/support/test-upstreams.js";
import { CALLER, setUp } from "./router-set-up.js";

const failed = (code: string, message: string): object => ({ kind: "fail", error: { code, message } });

/** Connectors `a`, which is up and offers `x`, and `b`, which is connecting. */
async function ready(options: Parameters<typeof setUp>[1] = {}) {
  const parts = await setUp(["a", "b"], options);
  await parts.upstreams.of("a").serve("x");
  await settle();
  return { ...parts, a: parts.upstreams.of("a"), b: parts.upstreams.of("b") };
}

type Asked = readonly [method: string, params: JsonObject];

/** What the gateway answers of what it knows of the connector. */
const ANSWERED: readonly Asked[] = [
  ["server/discover", {}],
  ["tools/list", {}],
  ["subscriptions/listen", { notifications: {} }],
];
/** What the upstream answers. */
const FORWARDED: readonly Asked[] = [
  ["tools/call", { name: "x" }],
  ["resources/read", { uri: "x:1" }],
  ["vendor/method", {}],
];

describe("a connector's own scope while the connector is not up", () => {
  test.each(ANSWERED)("%s waits while it is connecting, whatever others do", async (method, params) => {
    const { askIn, own, b } = await ready();
    const { sink } = askIn(own("b"), method, params);
    expect(sink.events).toEqual([]);
    await b.serve("y");
    await settle();
    expect(sink.events.map(({ kind }) => kind)).toEqual([method === "subscriptions/listen" ? "notify" : "result"]);
  });

  test.each(FORWARDED)("%s waits while it is connecting, and goes to it then", async (method, params) => {
    const { askIn, own, b } = await ready();
    const { sink } = askIn(own("b"), method, params);
    await settle();
    expect([sink.events, b.sent]).toEqual([[], []]);
    await b.serve("y");
    await settle();
    expect([sink.events, b.sent.length]).toEqual([[], 1]);
  });

  test.each(ANSWERED)(
    "%s fails with the reason when it does not come up, and is never empty",
    async (method, params) => {
      const { askIn, own, b } = await ready();
      const { sink } = askIn(own("b"), method, params);
      b.goDown("nobody answers there");
      await settle();
      const message = 'Not available: connector "b" is down: nobody answers there';
      expect(sink.only).toMatchObject(failed("UPSTREAM_UNAVAILABLE", message));
    },
  );

  test("waits no longer than a start may take", async () => {
    const { askIn, own, time } = await ready();
    const { sink } = askIn(own("b"), "tools/list");
    await time.advance(19_999);
    expect(sink.events).toEqual([]);
    await time.advance(1);
    expect(sink.only).toMatchObject(failed("UPSTREAM_UNAVAILABLE", 'Not available: connector "b" is connecting'));
  });

  test("a client that gave up meanwhile gets no answer, and no timer is left", async () => {
    const { askIn, own, b, time } = await ready();
    const { sink, exchange } = askIn(own("b"), "tools/call", { name: "y" });
    const timers = time.pending;
    exchange.cancel();
    expect(time.pending).toBe(timers - 1);
    await b.serve("y");
    await settle();
    expect([sink.events, b.sent]).toEqual([[], []]);
  });

  test("one that is removed meanwhile says so", async () => {
    const { askIn, own, name } = await ready();
    const scope = own("b");
    const { sink } = askIn(scope, "tools/list");
    name("a");
    await settle();
    expect(sink.only).toMatchObject(failed("UPSTREAM_UNAVAILABLE", 'Not available: connector "b" was removed'));
    expect(askIn(scope, "vendor/x").sink.failure.message).toContain("was removed");
  });

  test("what was known of one that went down is told; calls fail as calls do", async () => {
    const { askIn, own, a } = await ready();
    const scope = own("a");
    const { facts } = a;
    a.goDown("gone");
    a.facts = facts;
    await settle();
    expect(askIn(scope, "server/discover").sink.only).toMatchObject({ result: { capabilities: { tools: {} } } });
    expect(askIn(scope, "tools/list").sink.only).toMatchObject({ result: { tools: [toolOf("x")] } });
    askIn(scope, "tools/call", { name: "x" });
    expect(a.sent).toHaveLength(1);
  });
});

describe("what a connector's own scope forwards", () => {
  test.each([
    ["tools/call", { name: "x", arguments: {}, _meta: { progressToken: 1 } }],
    ["tools/call", { name: "not in any list" }],
    ["tools/call", { name: 7 }],
    ["prompts/get", { name: "unlisted" }],
    ["resources/read", { uri: "cortex://a/x%3A1" }],
    ["resources/read", { uri: "ui://app/main.html" }],
    ["completion/complete", { ref: { type: "ref/resource", uri: "x:{id}" }, argument: {} }],
    ["completion/complete", { ref: "nonsense" }],
    ["tasks/get", { taskId: "t" }],
    ["vendor/method", { name: "b__x", uri: "x:1" }],
    ["prompts/list", { cursor: "its own" }],
  ] as const)("%s with %j goes to it unchanged: it judges", async (method, params) => {
    for (const era of ["modern", "legacy"] as const) {
      const { askIn, own, a } = await ready();
      const frozen = Object.freeze(params);
      askIn(own("a"), method, frozen, era, "id");
      expect(a.sent.map(({ call }) => call)).toMatchObject([{ id: "id", method }]);
      expect(a.sent[0]?.call.params).toBe(frozen);
    }
  });

  test.each(["Tools/Call", "initialize", "ping", "notifications/x", "sampling/createMessage", "", "m".repeat(257)])(
    "%j is not passed on",
    async (method) => {
      const { askIn, own, a } = await ready();
      expect(askIn(own("a"), method, {}).sink.failure.code).toBe("METHOD_UNKNOWN");
      expect(a.sent).toEqual([]);
    },
  );

  test("T10: a parameter is held against the header that mirrors it", async () => {
    const { router, own, upstreams } = await setUp(["a"]);
    const region = { type: "string", "x-mcp-header": "Region" };
    upstreams.of("a").goUp();
    await upstreams.of("a").answerTools([{ name: "x", inputSchema: { type: "object", properties: { region } } }]);
    await settle();
    const params = { name: "x", arguments: { region: "eu" } };
    const message: JsonRpcRequest = { jsonrpc: "2.0", id: 1, method: "tools/call", params };
    const call = (value: string): RecordingSink => {
      const sink = new RecordingSink();
      const paramHeaders = { "mcp-param-region": value };
      router.handle({ message, caller: CALLER, scope: own("a"), paramHeaders }, sink);
      return sink;
    };
    expect(call("us").failure.code).toBe("HEADER_MISMATCH");
    expect(call("eu").events).toEqual([]);
  });

  test("requests say in whose scope they came and to whom they went", async () => {
    const { askIn, own, a, observed } = await ready();
    askIn(own("a"), "tools/list");
    askIn(own("a"), "tools/call", { name: "x" });
    a.sent[0]?.sink.respond({ jsonrpc: "2.0", id: 1, result: {} });
    expect(observed.map(({ scope, connector }) => [scope, connector])).toEqual([
      ["a", undefined],
      ["a", "a"],
    ]);
  });
});

describe("what a connector's own scope says of it", () => {
  const SAID = {
    serverInfo: { name: "docs", version: "7", title: "Docs" },
    instructions: "Be kind",
    others: { ttlMs: 9, cacheScope: "private", _meta: { "example.com/own": 1 }, "x-own": 2 },
  };
  const CAPABILITIES = {
    tools: { listChanged: true, "x-own": 1 },
    extensions: { "io.modelcontextprotocol/ui": {} },
    experimental: { own: {} },
  };

  async function described() {
    const parts = await setUp(["a"]);
    const a = parts.upstreams.of("a");
    a.goUp(CAPABILITIES, "modern", SAID);
    await a.answerList(["x"]);
    await settle();
    return { ...parts, a };
  }

  test("server/discover carries all of it, and the gateway's own revisions", async () => {
    const { askIn, own } = await described();
    expect(askIn(own("a"), "server/discover").sink.only).toMatchObject({
      result: {
        resultType: "complete",
        supportedVersions: ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"],
        capabilities: CAPABILITIES,
        instructions: "Be kind",
        _meta: { "io.modelcontextprotocol/serverInfo": SAID.serverInfo, "example.com/own": 1 },
        ttlMs: 9,
        cacheScope: "private",
        "x-own": 2,
      },
    });
  });

  test.each<[string, JsonObject]>([
    ["no hints, although it owes them", {}],
    ["hints that are none", { ttlMs: "9", cacheScope: "Private" }],
  ])("a modern one that gives %s is to be kept by nobody (2026-07-28, Caching)", async (_, others) => {
    const { upstreams, askIn, own } = await setUp(["a"]);
    upstreams.of("a").goUp({ tools: {} }, "modern", { others });
    await upstreams.of("a").answerList(["x"]);
    await settle();
    expect(askIn(own("a"), "server/discover").sink.only).toMatchObject({ result: { ttlMs: 0, cacheScope: "private" } });
  });

  test("initialize carries what its era can", async () => {
    const { own } = await described();
    const description = own("a").describe();
    if (GatewayError.is(description)) throw description;
    expect(description.initialized("2025-06-18")).toEqual({
      protocolVersion: "2025-06-18",
      capabilities: CAPABILITIES,
      serverInfo: SAID.serverInfo,
      instructions: "Be kind",
      _meta: { "example.com/own": 1 },
      "x-own": 2,
    });
  });

  test("one that has come back as something else is told as that", async () => {
    const { askIn, own, a } = await described();
    const scope = own("a");
    askIn(scope, "server/discover");
    a.goDown("restarting");
    a.goUp({ tools: {} }, "legacy");
    await a.answerList(["x"]);
    expect(askIn(scope, "server/discover").sink.only).toMatchObject({
      result: {
        capabilities: { tools: {} },
        _meta: { "io.modelcontextprotocol/serverInfo": { name: "a", version: "unknown" } },
        ttlMs: 300_000,
        cacheScope: "public",
      },
    });
  });
});
