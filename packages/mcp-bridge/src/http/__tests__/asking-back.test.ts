import { ManualTime } from "@cortex-os/mcp-core/testing";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import type { Caller } from "../../runtime/exchange.js";
import { LEGACY_CALLER, MODERN_CALLER, openLink, toolCall } from "./open-link.js";
import { RecordingSink } from "./recording-sink.js";
import { json, legacy, result, upstream, type Script } from "./scripted-upstream.js";
import { Streams } from "./streams.js";

const ASKABLE = { elicitation: {}, roots: { listChanged: true } };
const CLIENT = { ...LEGACY_CALLER, capabilities: ASKABLE };
const question: JsonObject = { jsonrpc: "2.0", id: 0, method: "elicitation/create", params: { message: "?" } };
const done: JsonObject = { jsonrpc: "2.0", id: 7, result: { content: [] } };

/** An upstream whose calls are event streams that the test writes, and which has a GET stream for each session but its first. */
async function asking(time?: ManualTime) {
  const calls = new Streams();
  const streams = new Streams();
  const get: Script = (seen, res) =>
    seen.headers["mcp-session-id"] === "session-1" ? res.writeHead(405).end() : streams.accept(seen, res);
  const answer: Script = (seen, res) =>
    seen.method === "tools/call" ? calls.accept(seen, res) : json(res, 200, result(seen, {}));
  const sessions = new Set<string>();
  const server = await upstream(legacy(answer, { sessions, capabilities: { tools: {} }, get }));
  const timeouts = { callMs: 100, callMaxMs: 1_000 };
  const under = await openLink(server.url, time === undefined ? {} : { time, timeouts });
  const call = async (caller: Caller = CLIENT): Promise<RecordingSink> => {
    const sink = new RecordingSink();
    under.link.send(toolCall(caller), sink);
    const { length } = calls.open;
    await vi.waitFor(() => expect(calls.open).toHaveLength(length + 1));
    return sink;
  };
  const posted = (): JsonObject[] => server.of("POST").map(({ message }) => message);
  return { ...under, server, sessions, calls, streams, call, posted };
}

describe("what a legacy upstream over HTTP asks back (R22)", () => {
  test("it is told what the client declared, and its stream is heard before the first call; who declares nothing has none", async () => {
    const { call, server, streams } = await asking();
    await call();
    await call({ ...LEGACY_CALLER, sessionKey: "client-2", capabilities: {} });
    expect(server.of("initialize").map(({ message }) => (message["params"] as JsonObject)["capabilities"])).toEqual([
      {},
      ASKABLE,
      {},
    ]);
    expect(streams.open).toHaveLength(1);
    expect(server.methods.indexOf("tools/call")).toBeGreaterThan(server.methods.lastIndexOf("GET"));
  });

  test("on the stream of a call goes to its client, and not among the bytes; what it answers comes back", async () => {
    const { call, calls, posted } = await asking();
    const sink = await call();
    calls.last?.send(question);
    await vi.waitFor(() => expect(sink.questions.all).toHaveLength(1));
    expect(sink.questions.only.params).toEqual({ message: "?" });
    sink.questions.only.onAnswer({ result: { action: "accept" } });
    await vi.waitFor(() => expect(posted()).toEqual([{ jsonrpc: "2.0", id: 0, result: { action: "accept" } }]));
    calls.last?.send(done);
    await sink.done;
    expect(sink.messages).toEqual([done]);
  });

  test("is taken back when the upstream says so, and when the call is answered meanwhile", async () => {
    const { call, calls, posted } = await asking();
    const sink = await call();
    calls.last?.send(question);
    calls.last?.send({ ...question, id: "late" });
    calls.last?.send({
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: 0, reason: "never mind" },
    });
    calls.last?.send(done);
    await sink.done;
    const reason = "The request that this was asked for is over";
    expect(sink.questions.all.map(({ withdrawn }) => withdrawn)).toEqual(["never mind", reason]);
    await vi.waitFor(() => expect(posted()).toMatchObject([{ id: "late", error: { message: reason } }]));
    expect(sink.messages).toEqual([done]);
  });

  test("on the session's stream goes to the session, whose call waits with it, up to its longest time", async () => {
    const time = new ManualTime();
    const { call, questions, streams } = await asking(time);
    const sink = await call();
    streams.last?.send(question);
    await vi.waitFor(() => expect(questions.all).toHaveLength(1));
    expect(questions.only.sessionKey).toBe("client-1");
    await time.advance(500);
    expect(sink.endings).toEqual([]);
    questions.only.onAnswer({ result: { action: "decline" } });
    await time.advance(99);
    expect(sink.endings).toEqual([]);
    await time.advance(100);
    expect(sink.failure).toMatchObject({ code: "UPSTREAM_TIMEOUT" });
  });

  test("what was asked in a session that the upstream forgot is taken back, and is never answered in the next one", async () => {
    const { call, posted, questions, server, sessions, streams } = await asking();
    await call();
    streams.last?.send(question);
    await vi.waitFor(() => expect(questions.all).toHaveLength(1));
    const before = server.of("GET").length;
    sessions.clear();
    streams.last?.res.end();
    await vi.waitFor(() => expect(server.of("GET").length).toBeGreaterThan(before));
    await vi.waitFor(() => expect(streams.open).toHaveLength(2));
    expect(questions.only.withdrawn).toBe("The session was lost");
    streams.last?.send(question);
    await vi.waitFor(() => expect(questions.all).toHaveLength(2));
    const [old, now] = questions.all;
    old?.onAnswer({ result: { action: "old" } });
    now?.onAnswer({ result: { action: "new" } });
    await vi.waitFor(() => expect(posted()).toHaveLength(1));
    expect(posted()).toEqual([{ jsonrpc: "2.0", id: 0, result: { action: "new" } }]);
  });

  test("a link that lets its calls end opens no stream any more, which nobody would close", async () => {
    const { calls, link, server } = await asking();
    const { script } = server;
    let greet = (): void => {};
    server.script = (seen, res) => {
      if (seen.method === "initialize") greet = () => script(seen, res);
      else script(seen, res);
    };
    const sink = new RecordingSink();
    link.send(toolCall(CLIENT), sink);
    await vi.waitFor(() => expect(server.of("initialize")).toHaveLength(2));
    const closing = link.close({ drain: true });
    greet();
    await vi.waitFor(() => expect(calls.open).toHaveLength(1));
    calls.last?.send(done);
    await closing;
    expect(sink.messages).toEqual([done]);
    expect(server.of("GET").map(({ headers }) => headers["mcp-session-id"])).not.toContain("session-2");
  });

  test("a call that is asked something is not silent, and ends when it has lasted too long all the same", async () => {
    const time = new ManualTime();
    const { call, calls } = await asking(time);
    const sink = await call();
    calls.last?.send(question);
    await vi.waitFor(() => expect(sink.questions.all).toHaveLength(1));
    await time.advance(999);
    expect(sink.endings).toEqual([]);
    await time.advance(1);
    await sink.done;
    expect(sink.questions.only.withdrawn).toBeDefined();
  });

  test("is refused for a modern client, and where nobody listens", async () => {
    const { call, calls, posted, questions, streams } = await asking();
    await call();
    questions.isThere = false;
    streams.last?.send(question);
    await vi.waitFor(() => expect(posted()).toMatchObject([{ id: 0, error: { code: -31_001 } }]));
    const modern = await call(MODERN_CALLER);
    calls.last?.send({ ...question, id: 1 });
    await vi.waitFor(() =>
      expect(posted()[1]).toMatchObject({
        id: 1,
        error: { code: -32_601, message: expect.stringContaining("cannot ask in its place") },
      }),
    );
    expect(modern.questions.all).toEqual([]);
  });

  test("an upstream that asks and takes no answers does not fill the memory with them", async () => {
    const time = new ManualTime();
    const { call, calls, server } = await asking(time);
    const sink = await call();
    const { script } = server;
    server.script = (seen, res) => {
      if (seen.method !== "POST") script(seen, res);
    };
    const before = time.pending;
    for (let id = 0; id < 3_000; id += 1) calls.last?.send({ jsonrpc: "2.0", id, method: "ping" });
    calls.last?.send(done);
    await sink.done;
    expect(time.pending - before).toBeLessThanOrEqual(1_001);
    expect(time.pending - before).toBeGreaterThan(900);
  });

  test("what the client tells the gateway of its roots is told in its session", async () => {
    const { call, link, server } = await asking();
    await call();
    const changed = { jsonrpc: "2.0", method: "notifications/roots/list_changed" } as const;
    link.tellOfClient("client-1", changed);
    link.tellOfClient("nobody", changed);
    await vi.waitFor(() => expect(server.of(changed.method)).toHaveLength(1));
    expect(server.of(changed.method)[0]?.headers["mcp-session-id"]).toBe("session-2");
  });
});
