import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import type { FixtureHttp, FixtureHttpOptions } from "../http/start-fixture-http.js";
import {
  legacy,
  legacyAskCall,
  openLegacy,
  openSession,
  openStream,
  resultOf,
  useFixtureHttp,
  type LiveStream,
} from "./support.js";
import { initialize, openPipe } from "./stdio-pipe.js";

const start = useFixtureHttp();
const EVERYTHING = { elicitation: {}, sampling: {}, roots: {} };

/** A client of one session that may be asked, and its call of `ask`. */
interface Asked {
  readonly server: FixtureHttp;
  readonly session: Record<string, string>;
  readonly call: LiveStream;
  send(message: JsonObject): Promise<unknown>;
}

async function askOverHttp(args: JsonObject, options: FixtureHttpOptions = {}): Promise<Asked> {
  const server = await start(options);
  const session = await openSession(server.url, "2025-11-25", EVERYTHING);
  const call = await openLegacy(server.url, session, legacyAskCall(1, args));
  return { server, session, call, send: async (message) => legacy(server.url, message, session) };
}

describe("asking a legacy client over HTTP (R22)", () => {
  test.each([
    ["elicitation", "elicitation/create", { action: "accept", content: { name: "Ada" } }],
    ["sampling", "sampling/createMessage", { role: "assistant", content: { type: "text", text: "Paris" }, model: "m" }],
    ["roots", "roots/list", { roots: [{ uri: "file:///a" }] }],
  ])("%s goes out on the stream of the call, and its answer comes back in the result", async (kind, method, answer) => {
    const { call, send } = await askOverHttp({ kind });
    await vi.waitFor(() => {
      expect(call.messages).toMatchObject([{ jsonrpc: "2.0", id: 1, method }]);
    });
    await send({ id: 1, result: answer });
    expect(await call.ended).toBe(true);
    expect(call.messages[1]).toMatchObject({ id: 1, result: { structuredContent: { answer } } });
  });

  test("parameters pass as they are; what the client refuses is given back with its code and data", async () => {
    const params = { message: "?", requestedSchema: { type: "object", properties: {} }, "x-own": [1, null] };
    const { call, send } = await askOverHttp({ kind: "elicitation", params });
    await vi.waitFor(() => {
      expect(call.messages).toMatchObject([{ params }]);
    });
    const error = { code: -1, message: "User rejected", data: { why: "no" } };
    await send({ id: 1, error });
    await call.ended;
    expect(call.messages[1]).toMatchObject({ result: { structuredContent: { error } } });
  });

  test("outside of the call it goes out on the stream that the client listens on", async () => {
    const server = await start();
    const session = await openSession(server.url, "2025-11-25", EVERYTHING);
    const get = { method: "GET", headers: { ...session, accept: "text/event-stream" } };
    const listening = await openStream(server.url, get);
    const answered = legacy(server.url, legacyAskCall(5, { kind: "roots", where: "session" }), session);
    await vi.waitFor(() => {
      expect(listening.messages).toMatchObject([{ id: 1, method: "roots/list" }]);
    });
    await legacy(server.url, { id: 1, result: { roots: [] } }, session);
    const answer = await answered;
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(resultOf(answer)["structuredContent"]).toEqual({ answer: { roots: [] } });
    listening.leave();
  });

  test("cancelling the call takes its question back", async () => {
    const { call, send, server } = await askOverHttp({ kind: "sampling" });
    await vi.waitFor(() => {
      expect(call.messages).toHaveLength(1);
    });
    await send({ method: "notifications/cancelled", params: { requestId: 1 } });
    expect(await call.ended).toBe(true);
    expect(call.messages.slice(1)).toMatchObject([{ method: "notifications/cancelled", params: { requestId: 1 } }]);
    expect(await send({ id: 1, result: { late: true } })).toMatchObject({ status: 202 });
    expect(server.calls).toMatchObject({ cancelled: 1, inFlight: 0 });
  });

  test("a progress token is passed on, and what the client tells on the way is in the result", async () => {
    const { call, send } = await askOverHttp({ kind: "roots", params: { _meta: { progressToken: "mine" } } });
    await vi.waitFor(() => {
      expect(call.messages).toMatchObject([{ params: { _meta: { progressToken: "mine" } } }]);
    });
    await send({ method: "notifications/progress", params: { progressToken: "other", progress: 9 } });
    await send({ method: "notifications/progress", params: { progressToken: "mine", progress: 1, total: 2 } });
    await send({ method: "notifications/progress" });
    await send({ id: 1, result: { roots: [] } });
    await call.ended;
    expect(call.messages[1]).toMatchObject({
      result: { structuredContent: { answer: { roots: [] }, progress: [{ progress: 1, total: 2 }] } },
    });
  });

  test("answers to nothing are let be, and an answer without an id as well", async () => {
    const { call, send } = await askOverHttp({ kind: "roots" });
    await send({ id: 99, result: {} });
    await send({ error: { code: -32_700, message: "unreadable" } });
    await send({ id: 1, result: { roots: [] } });
    await call.ended;
    expect(call.messages).toHaveLength(2);
  });

  test("two questions of one session have two ids, and answers find their calls in any order", async () => {
    const { call, send, server, session } = await askOverHttp({ kind: "roots" });
    const second = await openLegacy(server.url, session, legacyAskCall(2, { kind: "roots" }));
    await vi.waitFor(() => {
      expect([call.messages[0], second.messages[0]]).toMatchObject([{ id: 1 }, { id: 2 }]);
    });
    await send({ id: 2, result: { roots: [{ uri: "file:///second" }] } });
    await send({ id: 1, result: { roots: [{ uri: "file:///first" }] } });
    await Promise.all([call.ended, second.ended]);
    const told = [call, second].map(({ messages }) => JSON.stringify(messages[1]));
    expect(told).toEqual([expect.stringContaining("first"), expect.stringContaining("second")]);
  });

  test("the end of the session ends the question", async () => {
    const { call, server } = await askOverHttp({ kind: "roots" });
    await vi.waitFor(() => {
      expect(call.messages).toHaveLength(1);
    });
    server.forgetSessions();
    await call.ended;
    expect(server.calls).toMatchObject({ cancelled: 1, inFlight: 0 });
  });

  test.each([
    ["elicitation", {}, undefined, '{"elicitation":{}}'],
    ["elicitation", { elicitation: { url: {} } }, undefined, '{"elicitation":{"form":{}}}'],
    ["elicitation", { elicitation: {} }, { mode: "url" }, '{"elicitation":{"url":{}}}'],
    ["sampling", { roots: {} }, undefined, '{"sampling":{}}'],
    ["sampling", { sampling: {} }, { tools: [] }, '{"sampling":{"tools":{}}}'],
  ])("%s is not asked of a client that declared %j", async (kind, capabilities, params, missing) => {
    const { url } = await start();
    const session = await openSession(url, "2025-11-25", capabilities);
    const result = resultOf(await legacy(url, legacyAskCall(1, { kind, ...(params && { params }) }), session));
    expect(result).toMatchObject({ isError: true });
    expect(JSON.stringify(result)).toContain(`it did not declare ${JSON.stringify(missing).slice(1, -1)}`);
  });

  test("forced, it is asked all the same", async () => {
    const server = await start();
    const session = await openSession(server.url, "2025-11-25", {});
    const answered = legacy(server.url, legacyAskCall(1, { kind: "roots", force: true }), session);
    await vi.waitFor(() => {
      expect(server.calls.inFlight).toBe(1);
    });
    await legacy(server.url, { id: 1, result: { roots: [] } }, session);
    expect((await answered).text).toContain('"method":"roots/list"');
  });

  test.each([
    ["nobody listens", { where: "session" }, {}],
    ["every answer is plain JSON", {}, { jsonOnly: true }],
  ])("when %s, the result says that there is no way to ask", async (_why, args, options) => {
    const { call } = await askOverHttp({ kind: "roots", ...args }, options);
    await call.ended;
    expect(call.text()).toContain("The client is not asked: there is no stream to it");
  });

  test("without sessions nobody can be asked", async () => {
    const { url } = await start({ sessions: false });
    expect(resultOf(await legacy(url, legacyAskCall(1, { kind: "roots" })))).toMatchObject({ isError: true });
  });

  test.each([
    [{ kind: "money" }, "kind must be one of elicitation, sampling, roots"],
    [{ kind: "roots", params: [] }, "params must be an object"],
    [{ kind: "roots", where: "here" }, "where must be stream or session"],
    [{ kind: "roots", force: "yes" }, "force must be true or false"],
  ])("with %j the result says what is wrong", async (args, what) => {
    const { url } = await start();
    const answer = await legacy(url, legacyAskCall(1, args), await openSession(url));
    expect(answer.text).toContain(`Invalid arguments: ${what}`);
  });

  test("a prompt and a resource ask as well, and fail with an error where a tool has a result", async () => {
    const { url } = await start();
    const session = await openSession(url, "2025-11-25", EVERYTHING);
    const get = await openLegacy(url, session, { id: 1, method: "prompts/get", params: { name: "ask-prompt" } });
    await vi.waitFor(() => {
      expect(get.messages).toMatchObject([{ id: 1, method: "elicitation/create" }]);
    });
    await legacy(url, { id: 1, result: { action: "accept", content: { topic: "bees" } } }, session);
    const uri = "fixture://cortex-fixture/ask";
    const read = await openLegacy(url, session, { id: 2, method: "resources/read", params: { uri } });
    await vi.waitFor(() => {
      expect(read.messages).toMatchObject([{ id: 2, method: "roots/list" }]);
    });
    await legacy(url, { id: 2, result: { roots: [{ uri: "file:///a" }] } }, session);
    await Promise.all([get.ended, read.ended]);
    expect(JSON.stringify(get.messages[1])).toContain("bees");
    expect(JSON.stringify(read.messages[1])).toContain("file:///a");
    const mute = await openSession(url, "2025-11-25", {});
    const refused = await legacy(url, { id: 3, method: "prompts/get", params: { name: "ask-prompt" } }, mute);
    expect(refused.text).toContain('"code":-32600');
  });
});

describe("asking a legacy client over stdio (R22)", () => {
  test("the question goes down the pipe, wherever it is to go, and the answer comes up", async () => {
    const pipe = openPipe();
    pipe.send(initialize("2025-06-18", EVERYTHING));
    await pipe.answerTo("init");
    pipe.send(legacyAskCall("a", { kind: "roots" }));
    pipe.send(legacyAskCall("b", { kind: "roots", where: "session" }));
    for (const id of [1, 2]) {
      await pipe.answerTo(id);
      pipe.send({ id, result: { roots: [{ uri: `file:///${id}` }] } });
    }
    expect(await pipe.answerTo("a")).toMatchObject({
      result: { structuredContent: { answer: { roots: [{ uri: "file:///1" }] } } },
    });
    expect(await pipe.answerTo("b")).toMatchObject({
      result: { structuredContent: { answer: { roots: [{ uri: "file:///2" }] } } },
    });
    pipe.send(legacyAskCall("c", { kind: "roots" }));
    await pipe.answerTo(3);
    pipe.send({ method: "notifications/cancelled", params: { requestId: "c" } });
    await vi.waitFor(() => {
      expect(pipe.messages.at(-1)).toMatchObject({ method: "notifications/cancelled", params: { requestId: 3 } });
    });
    pipe.input.end();
    await pipe.served;
  });
});
