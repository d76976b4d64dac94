import { ManualTime } from "@cortex-os/mcp-core/testing";
import { progressTokenOf, type JsonObject } from "@cortex-os/mcp-core/wire";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { Caller, UpstreamCall } from "../../runtime/exchange.js";
import { LEGACY_CALLER, MODERN_CALLER, openLink, toolCall } from "./open-link.js";
import { RecordingSink } from "./recording-sink.js";
import { json, legacy, modern, result, stream, upstream, type Seen } from "./scripted-upstream.js";

/** A request of any method, with what every request of the caller's era carries. */
function request(caller: Caller, method: string, params: JsonObject, meta: JsonObject = {}): UpstreamCall {
  const { _meta } = toolCall(caller, 7, meta).params ?? {};
  return { id: "mine", method, caller, params: { ...params, _meta } };
}

const paramsOf = (seen: Seen | undefined): JsonObject => seen?.message["params"] as JsonObject;

const METHODS: [string, JsonObject][] = [
  ["resources/read", { uri: "file:///ä b.txt" }],
  ["prompts/get", { name: "greet ", arguments: { who: "x" } }],
  ["completion/complete", { ref: { type: "ref/prompt", name: "greet" }, argument: { name: "who", value: "x" } }],
  ["tasks/get", { taskId: "t-1" }],
  ["com.example/vendor", { anything: [1, { goes: true }] }],
];

describe("any method (R22)", () => {
  test.each(METHODS)("%s reaches a modern upstream with the headers of its era", async (method, params) => {
    const server = await upstream(
      modern((seen, res) => json(res, 200, result(seen, { resultType: "complete", it: 1 }))),
    );
    const { link } = await openLink(server.url);
    for (const caller of [MODERN_CALLER, LEGACY_CALLER]) {
      const sink = new RecordingSink();
      link.send(request(caller, method, params), sink);
      await sink.done;
    }
    const encoded = {
      "resources/read": `=?base64?${Buffer.from("file:///ä b.txt").toString("base64")}?=`,
      "prompts/get": "=?base64?Z3JlZXQg?=",
      "tasks/get": "t-1",
    }[method];
    for (const seen of server.of(method)) {
      expect(seen.headers["mcp-method"]).toBe(method);
      expect(seen.headers["mcp-name"]).toBe(encoded);
      expect(paramsOf(seen)).toMatchObject(params);
    }
    expect(server.of(method)).toHaveLength(2);
  });

  test.each(METHODS)(
    "%s across eras: ids and progress tokens are the link's own, and put back",
    async (method, params) => {
      const server = await upstream(
        legacy((seen, res) => {
          const progress = { progressToken: progressTokenOf(paramsOf(seen)) ?? "", progress: 1, message: "half" };
          stream(res, { jsonrpc: "2.0", method: "notifications/progress", params: progress }, result(seen, { it: 1 }));
        }),
      );
      const { link } = await openLink(server.url);
      const sink = new RecordingSink();
      link.send(request(MODERN_CALLER, method, params, { progressToken: "mine-too" }), sink);
      await sink.done;
      expect(sink.response).toMatchObject({ id: "mine", result: { resultType: "complete", it: 1 } });
      expect(sink.notifications).toMatchObject([
        { params: { progressToken: "mine-too", progress: 1, message: "half" } },
      ]);
      expect(server.of(method)[0]?.message["id"]).not.toBe("mine");
      const hints = method === "resources/read" ? { ttlMs: 0, cacheScope: "private" } : {};
      expect(sink.response).toHaveProperty("result", { resultType: "complete", it: 1, ...hints });
    },
  );

  test("what a legacy client reads from a modern upstream bears no hints about keeping it", async () => {
    const read = { resultType: "complete", contents: [], ttlMs: 5, cacheScope: "public" };
    const server = await upstream(modern((seen, res) => json(res, 200, result(seen, read))));
    const { link } = await openLink(server.url);
    const sink = new RecordingSink();
    link.send(request(LEGACY_CALLER, "resources/read", { uri: "a:1" }), sink);
    await sink.done;
    expect(sink.response).toHaveProperty("result", { contents: [] });
  });

  test.each(METHODS)("%s has the deadline of a call, which progress extends", async (method, params) => {
    const time = new ManualTime();
    const server = await upstream(legacy(() => {}, { sessions: new Set() }));
    const { link } = await openLink(server.url, { time, timeouts: { callMs: 50 } });
    const sink = new RecordingSink();
    link.send(request(MODERN_CALLER, method, params), sink);
    await vi.waitFor(() => expect(server.methods).toContain(method));
    await time.advance(50);
    expect(sink.error?.code).toBe("UPSTREAM_TIMEOUT");
    await vi.waitFor(() => expect(server.methods).toContain("notifications/cancelled"));
  });
});

describe("what the gateway does not know passes unchanged (R22)", () => {
  test("notifications within an answer, but for those that are between the gateway and its upstream", async () => {
    const unknown: JsonObject = {
      jsonrpc: "2.0",
      method: "notifications/com.example/x",
      params: { _meta: { "a/b": 1 }, c: [null] },
      extra: 1,
    };
    const cancelled: JsonObject = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 5 } };
    const server = await upstream(legacy((seen, res) => stream(res, unknown, cancelled, result(seen, {}))));
    const { link, told } = await openLink(server.url);
    const sink = new RecordingSink();
    link.send(toolCall(MODERN_CALLER), sink);
    await sink.done;
    expect(sink.notifications).toEqual([unknown]);
    expect(told).toEqual([]);
  });

  test("members, content types and `_meta` of requests and results, across eras", async () => {
    const server = await upstream(
      modern((seen, res) =>
        json(res, 200, result(seen, { resultType: "complete", ...(paramsOf(seen)["arguments"] as JsonObject) })),
      ),
    );
    const { link } = await openLink(server.url);
    const json64 = fc.object({ maxDepth: 3, values: [fc.string(), fc.integer(), fc.boolean(), fc.constant(null)] });
    await fc.assert(
      fc.asyncProperty(json64, json64, async (args, meta) => {
        const plain = JSON.parse(JSON.stringify({ args, meta })) as { args: JsonObject; meta: JsonObject };
        const { resultType: _, ...kept } = plain.args;
        const { progressToken: __, ...sentMeta } = plain.meta;
        const content = [{ type: "com.example/hologram", payload: kept, _meta: sentMeta }];
        const sink = new RecordingSink();
        const params = { name: "x", arguments: { ...kept, content, _meta: sentMeta }, extra: kept, _meta: sentMeta };
        link.send({ id: 1, method: "tools/call", params, caller: LEGACY_CALLER }, sink);
        await sink.done;
        expect(sink.response).toEqual({ jsonrpc: "2.0", id: 1, result: { ...kept, content, _meta: sentMeta } });
        const seen = paramsOf(server.of("tools/call").at(-1));
        expect(seen["extra"]).toEqual(kept);
        expect(seen["_meta"]).toMatchObject(sentMeta);
      }),
      { numRuns: 40 },
    );
  });
});
