import { GatewayError } from "@cortex-os/mcp-core";
import { META, type JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { answerWith, CacheSetUp, LEGACY, MODERN, resultOf, sinkOf } from "./cache-set-up.js";

describe("a public read (2026-07-28, Caching)", () => {
  test("is answered once more without asking, under the id of who asks and with what is left of its time", async () => {
    const setUp = new CacheSetUp();
    const { read, readThrough } = bound(setUp.connector());
    readThrough(resultOf("hello", { _meta: { "com.example/v": 1 }, extra: [1] }));
    await setUp.time.advance(20_000);
    const again = read({ id: "seven" });
    expect(again.upstream).toBeUndefined();
    expect(again.answer()).toEqual({
      jsonrpc: "2.0",
      id: "seven",
      result: resultOf("hello", { _meta: { "com.example/v": 1 }, extra: [1], ttlMs: 40_000 }),
    });
    // As bytes that are ready.
    expect(again.sink.only.kind).toBe("result");
    expect(setUp.counted).toEqual({ hits: 1, misses: 1, evictions: 0 });
  });

  test("counts its time from the question, not from the answer", async () => {
    const setUp = new CacheSetUp();
    const { read } = bound(setUp.connector());
    const first = read();
    await setUp.time.advance(50_000);
    answerWith(first, { jsonrpc: "2.0", id: 1, result: resultOf() });
    expect(read().answer()["result"]).toMatchObject({ ttlMs: 10_000 });
    await setUp.time.advance(10_000);
    expect(read().upstream).toBeDefined();
  });

  test("is asked for again when its time is over, by either clock: one stands still while the machine sleeps", () => {
    const setUp = new CacheSetUp();
    const { read, readThrough } = bound(setUp.connector());
    readThrough(resultOf());
    setUp.time.jump(59_999);
    expect(read().answer()["result"]).toMatchObject({ ttlMs: 1 });
    setUp.time.jump(1);
    expect(read().upstream).toBeDefined();
  });

  test("is given to clients of both eras, to the legacy ones without what they never heard of", () => {
    const setUp = new CacheSetUp();
    const { read, readThrough } = bound(setUp.connector());
    readThrough(resultOf());
    expect(read({ caller: LEGACY, id: 5 }).answer()).toEqual({
      jsonrpc: "2.0",
      id: 5,
      result: { contents: [{ uri: "x://1", text: "hello" }] },
    });
  });

  test("is kept as the upstream gave it when a legacy client asked first", () => {
    const setUp = new CacheSetUp();
    const { read } = bound(setUp.connector());
    const first = read({ caller: LEGACY });
    // The bridge reads the answer to convert it.
    sinkOf(first).original?.(resultOf());
    sinkOf(first).respond({ jsonrpc: "2.0", id: 1, result: { contents: [] } });
    expect(first.sink.only).toEqual({ kind: "respond", response: { jsonrpc: "2.0", id: 1, result: { contents: [] } } });
    expect(read().answer()["result"]).toEqual(resultOf());
  });

  test("is kept from an event stream, whatever came before the answer", () => {
    const setUp = new CacheSetUp();
    const { read } = bound(setUp.connector());
    const sink = sinkOf(read());
    const event = (message: JsonObject): Buffer => Buffer.from(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
    sink.start(200, { "content-type": "text/event-stream; charset=utf-8" });
    sink.write(event({ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: 1, progress: 1 } }));
    const answer = event({ jsonrpc: "2.0", id: 1, result: resultOf() });
    sink.write(answer.subarray(0, 30));
    sink.write(answer.subarray(30));
    sink.end();
    expect(read().answer()["result"]).toEqual(resultOf());
  });

  test("passes unchanged while it is read along", () => {
    const setUp = new CacheSetUp();
    const { readThrough } = bound(setUp.connector());
    const first = readThrough(resultOf());
    expect(first.answer()).toEqual({ jsonrpc: "2.0", id: 1, result: resultOf() });
    expect(first.sink.events.map(({ kind }) => kind)).toEqual(["start", "write", "write", "end"]);
  });
});

test("an answer that is ready already is passed on, and kept by whoever had it", () => {
  const setUp = new CacheSetUp();
  const { read } = bound(setUp.connector());
  const first = read();
  first.upstream?.sink.sendResult(1, [Buffer.from(JSON.stringify(resultOf()))]);
  expect(first.answer()["result"]).toEqual(resultOf());
  expect(read().upstream).toBeDefined();
});

test("an answer that comes after one to a later question does not take its place", async () => {
  const setUp = new CacheSetUp();
  const { read } = bound(setUp.connector());
  const earlier = read();
  await setUp.time.advance(5);
  answerWith(read(), { jsonrpc: "2.0", id: 1, result: resultOf("new") });
  answerWith(earlier, { jsonrpc: "2.0", id: 1, result: resultOf("old") });
  expect(earlier.answer()["result"]).toEqual(resultOf("old"));
  expect(read().answer()["result"]).toEqual(resultOf("new"));
});

describe("a private read (C4)", () => {
  const mine = resultOf("mine", { cacheScope: "private" });
  const bob = { ...MODERN, principal: "bob" };

  test("is given to the same principal only", () => {
    const setUp = new CacheSetUp();
    const { read, readThrough } = bound(setUp.connector());
    readThrough(mine);
    expect(read().answer()["result"]).toEqual(mine);
    expect(read({ caller: bob }).upstream).toBeDefined();
  });

  test("takes the place of a public one that it follows, for its principal", async () => {
    const setUp = new CacheSetUp();
    const { read, readThrough } = bound(setUp.connector());
    readThrough(resultOf("old", { ttlMs: 1 }));
    await setUp.time.advance(1);
    readThrough(mine);
    expect(read().answer()["result"]).toEqual(mine);
    expect(read({ caller: bob }).upstream).toBeDefined();
  });

  test("of a child that is a session's own is that session's only, and so is a public one: the child knows nobody else", () => {
    const setUp = new CacheSetUp();
    const transport = { kind: "stdio", command: "x", args: [], env: {} } as const;
    const { read } = bound(setUp.connector({ transport, isolation: "session" }));
    const other = { ...LEGACY, sessionKey: "two" };
    const asks = (caller: typeof LEGACY): boolean => {
      const sent = read({ caller });
      sent.upstream?.sink.original?.(resultOf());
      return sent.upstream !== undefined;
    };
    expect([asks(LEGACY), asks(LEGACY), asks(other), asks(other), asks(MODERN), asks(MODERN)]).toEqual([
      ...[true, false, true, false, true, false],
    ]);
  });
});

describe("what is asked of the upstream every time (C2, C3)", () => {
  test.each<[string, JsonObject]>([
    ["an answer to input that was asked for", { inputResponses: {} }],
    ["a state that was handed out", { requestState: "s" }],
  ])("%s", (_, params) => {
    const setUp = new CacheSetUp();
    const { read, readThrough } = bound(setUp.connector());
    readThrough(resultOf(), { params });
    expect(read({ params }).upstream).toBeDefined();
    expect(read().upstream).toBeDefined();
  });

  test.each<[string, JsonObject, JsonObject]>([
    ["a parameter", { params: { version: 1 } }, { params: { version: 2 } }],
    ["a resource", {}, { uri: "x://2" }],
    ["capabilities", {}, { meta: { [META.clientCapabilities]: { elicitation: {} } } }],
    ["a vendor's member of _meta", {}, { meta: { "com.example/locale": "de" } }],
    ["baggage, which may name a tenant", {}, { meta: { baggage: "tenant=a" } }],
    ["a type", { params: { a: "1" } }, { params: { a: 1 } }],
    ["a nesting", { params: { a: { b: 1 } } }, { params: { a: [["b", 1]] } }],
  ])("what differs in %s", (_, one, other) => {
    const setUp = new CacheSetUp();
    const { read, readThrough } = bound(setUp.connector());
    readThrough(resultOf(), one);
    expect(read(one).upstream).toBeUndefined();
    expect(read(other).upstream).toBeDefined();
  });

  test("but not what differs only in who asks, or in how the asking is followed", () => {
    const setUp = new CacheSetUp();
    const { read, readThrough } = bound(setUp.connector());
    readThrough(resultOf(), { params: { a: 1, b: 2 } });
    const meta = {
      progressToken: 7,
      [META.clientInfo]: { name: "other", version: "2" },
      [META.logLevel]: "debug",
      traceparent: "00-1-2-01",
      tracestate: "a=b",
    };
    expect(read({ params: { b: 2, a: 1 }, meta }).upstream).toBeUndefined();
  });

  test("what comes with headers of the client's own, which may mean anything to the upstream", () => {
    const setUp = new CacheSetUp();
    const { read, readThrough } = bound(setUp.connector());
    const paramHeaders = { "mcp-param-tenant": "a" };
    readThrough(resultOf(), { paramHeaders });
    expect(read({ paramHeaders }).upstream).toBeDefined();
    expect(read().upstream).toBeDefined();
    expect(read({ paramHeaders: {} }).upstream).toBeDefined();
    expect(setUp.counted.misses).toBe(2);
  });

  test.each<[string, JsonObject]>([
    ["no time to live", resultOf("x", { ttlMs: 0 })],
    ["a negative one", resultOf("x", { ttlMs: -1 })],
    ["half a millisecond too much", resultOf("x", { ttlMs: 1.5 })],
    ["a text for one", resultOf("x", { ttlMs: "60000" })],
    ["no scope", resultOf("x", { cacheScope: undefined })],
    ["a scope that is none", resultOf("x", { cacheScope: "Public" })],
    ["a request for input", resultOf("x", { resultType: "input_required" })],
    ["no type", resultOf("x", { resultType: undefined })],
    ["no contents", resultOf("x", { contents: undefined })],
    ["contents without an address", resultOf("x", { contents: [{ text: "x" }] })],
  ])("what was answered with %s", (_, result) => {
    const setUp = new CacheSetUp();
    const { read, readThrough } = bound(setUp.connector());
    readThrough(result);
    expect(read().upstream).toBeDefined();
    expect(setUp.store.bytes).toBe(0);
  });

  test("an error, a refusal, an answer under another id, and one that broke off", () => {
    const setUp = new CacheSetUp();
    const { read } = bound(setUp.connector());
    answerWith(read(), { jsonrpc: "2.0", id: 1, error: { code: -32_602, message: '"ttlMs":9' } });
    answerWith(read(), { jsonrpc: "2.0", id: 1, result: resultOf() }, 400);
    answerWith(read(), { jsonrpc: "2.0", id: 2, result: resultOf() });
    const broken = sinkOf(read());
    broken.start(200, { "content-type": "application/json" });
    broken.write(Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: 1, result: resultOf() })));
    broken.abort(new GatewayError("UPSTREAM_UNAVAILABLE", "gone"));
    const garbled = sinkOf(read());
    garbled.start(200, { "content-type": "application/json" });
    garbled.write(Buffer.from('{"ttlMs":9'));
    garbled.end();
    const failed = sinkOf(read());
    failed.fail(new GatewayError("UPSTREAM_TIMEOUT", "late"));
    const ended = sinkOf(read());
    ended.start(200, { "content-type": "text/event-stream" });
    ended.notify({ jsonrpc: "2.0", method: "notifications/x" });
    ended.end(new GatewayError("UPSTREAM_UNAVAILABLE", "gone"));
    expect(read().upstream).toBeDefined();
    expect(setUp.store.bytes).toBe(0);
  });

  test("what a legacy upstream says: its revision knows no such hints", () => {
    const setUp = new CacheSetUp();
    const connected = setUp.connector();
    connected.back.goUp({ resources: {} }, "legacy");
    const { read } = bound(connected);
    read({ caller: LEGACY }).upstream?.sink.original?.(resultOf());
    expect(read({ caller: LEGACY }).upstream).toBeDefined();
    expect(setUp.counted.misses).toBe(0);
  });

  test("anything but a read, and everything when nothing may be kept", () => {
    const setUp = new CacheSetUp(0);
    const { read, readThrough } = bound(setUp.connector());
    readThrough(resultOf());
    expect(read().upstream).toBeDefined();
    const on = new CacheSetUp();
    const { back, front } = on.connector();
    const { sink } = bound(on.connector()).read();
    for (let round = 0; round < 2; round += 1)
      front.send({ id: 1, method: "tools/call", params: { uri: "x://1" }, caller: MODERN }, sink);
    // The very sink: nothing looks at a call's answer.
    expect(back.sent.map((sent) => sent.sink === sink)).toEqual([true, true]);
  });

  test("what is not known to be anything yet", () => {
    const setUp = new CacheSetUp();
    const connected = setUp.connector();
    connected.back.facts = undefined;
    expect(bound(connected).read().upstream).toBeDefined();
    expect(setUp.counted.misses).toBe(0);
  });
});

/** The methods by themselves. */
function bound(connected: ReturnType<CacheSetUp["connector"]>) {
  return {
    read: connected.read.bind(connected),
    readThrough: connected.readThrough.bind(connected),
  };
}
