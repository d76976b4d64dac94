import { describe, expect, test, vi } from "vitest";
import {
  errorOf,
  initializeMessage,
  json,
  legacy,
  messagesOf,
  openSession,
  openStream,
  raw,
  resultOf,
  useFixtureHttp,
} from "./support.js";

const start = useFixtureHttp();
const slowCall = (id: number, progressToken?: string): object => ({
  id,
  method: "tools/call",
  params: {
    name: "slow",
    arguments: { ms: 60_000, steps: 6_000 },
    ...(progressToken === undefined ? {} : { _meta: { progressToken } }),
  },
});

describe("the legacy era over HTTP (R22)", () => {
  test.each([
    ["2024-11-05", "2024-11-05"],
    ["2025-03-26", "2025-03-26"],
    ["2025-06-18", "2025-06-18"],
    ["2025-11-25", "2025-11-25"],
    ["2026-07-28", "2025-11-25"],
    ["1999-01-01", "2025-11-25"],
  ])("initialize with %s settles on %s and opens a session", async (asked, settled) => {
    const server = await start();
    const answer = await legacy(server.url, initializeMessage(asked));
    expect(answer.status).toBe(200);
    expect(answer.headers["mcp-session-id"]).toMatch(/^[\da-f-]{36}$/);
    expect(resultOf(answer)).toMatchObject({
      protocolVersion: settled,
      capabilities: {
        tools: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        prompts: { listChanged: true },
        completions: {},
        logging: {},
      },
      serverInfo: { name: "cortex-fixture" },
    });
    expect(server.sessions).toBe(1);
  });

  test("initialize without what it needs is −32602 and opens no session", async () => {
    const server = await start();
    const answer = await legacy(server.url, { id: 1, method: "initialize", params: { protocolVersion: "2025-11-25" } });
    expect(errorOf(answer)["code"]).toBe(-32_602);
    expect(answer.headers["mcp-session-id"]).toBeUndefined();
    expect(server.sessions).toBe(0);
  });

  test("pings, lists and calls in its session, with results of the legacy shape", async () => {
    const { url } = await start();
    const session = await openSession(url);
    expect(resultOf(await legacy(url, { id: "p", method: "ping" }, session))).toEqual({});
    const list = resultOf(await legacy(url, { id: 2, method: "tools/list" }, session));
    expect(Object.keys(list)).toEqual(["tools"]);
    const call = { id: 3, method: "tools/call", params: { name: "whoami", arguments: {}, _meta: { "a.b/c": 1 } } };
    const result = resultOf(await legacy(url, call, session));
    expect(Object.keys(result)).toEqual(["content", "structuredContent"]);
    expect(result["structuredContent"]).toMatchObject({
      era: "legacy",
      protocolVersion: "2025-11-25",
      clientInfo: { name: "raw", version: "0" },
      clientCapabilities: { roots: {} },
      session: true,
      meta: { "a.b/c": 1 },
    });
  });

  test("an unknown method is −32601 under status 200, for 404 would end the session", async () => {
    const { url } = await start();
    const session = await openSession(url);
    for (const method of ["server/discover", "subscriptions/listen", "constructor"]) {
      const answer = await legacy(url, { id: 1, method }, session);
      expect([answer.status, errorOf(answer)["code"]]).toEqual([200, -32_601]);
    }
  });

  test("a message without a session is 400, one of an unknown session 404", async () => {
    const { url } = await start();
    const without = await legacy(url, { id: 5, method: "tools/list" });
    expect([without.status, json(without)["id"]]).toEqual([400, 5]);
    const unknown = await legacy(url, { id: 5, method: "tools/list" }, { "mcp-session-id": "nobody" });
    expect(unknown.status).toBe(404);
    expect((await legacy(url, { method: "notifications/initialized" })).status).toBe(400);
  });

  test("a revision that is not legacy or not spoken is 400 with no modern code", async () => {
    const { url } = await start({ era: "legacy" });
    const session = await openSession(url);
    for (const version of ["2026-07-28", "1999-01-01"]) {
      const message = { id: 1, method: "tools/list" };
      const answer = await legacy(url, message, { ...session, "mcp-protocol-version": version });
      expect([answer.status, errorOf(answer)["code"]]).toEqual([400, -32_600]);
    }
    const { "mcp-protocol-version": _, ...unnamed } = session;
    expect((await legacy(url, { id: 1, method: "ping" }, unnamed)).status).toBe(200);
  });

  test("responses and notifications of the session are taken with 202", async () => {
    const { url } = await start();
    const session = await openSession(url);
    for (const message of [{ id: 1, result: {} }, { method: "notifications/roots/list_changed" }]) {
      expect(await legacy(url, message, session)).toMatchObject({ status: 202, text: "" });
    }
  });

  test("DELETE ends the session and its streams; after that it is unknown", async () => {
    const server = await start();
    const session = await openSession(server.url);
    const stream = await openStream(server.url, {
      method: "GET",
      headers: { ...session, accept: "text/event-stream" },
    });
    expect(server.streams).toBe(1);
    expect((await raw(server.url, "DELETE", session)).status).toBe(200);
    expect(await stream.ended).toBe(true);
    expect((await legacy(server.url, { id: 1, method: "ping" }, session)).status).toBe(404);
    expect((await raw(server.url, "DELETE", session)).status).toBe(404);
    expect((await raw(server.url, "GET", session)).status).toBe(404);
    expect(server.sessions).toBe(0);
  });

  test("forgetSessions makes the next message 404, and a new session works", async () => {
    const server = await start();
    const session = await openSession(server.url);
    server.forgetSessions();
    expect((await legacy(server.url, { id: 1, method: "ping" }, session)).status).toBe(404);
    const again = await openSession(server.url);
    expect(again["mcp-session-id"]).not.toBe(session["mcp-session-id"]);
    expect((await legacy(server.url, { id: 1, method: "ping" }, again)).status).toBe(200);
  });

  test("beyond its bound the oldest session is forgotten", async () => {
    const server = await start({ maxSessions: 2 });
    const [oldest, ...kept] = [
      await openSession(server.url),
      await openSession(server.url),
      await openSession(server.url),
    ];
    expect(server.sessions).toBe(2);
    const status = async (session = {}): Promise<number> =>
      (await legacy(server.url, { id: 1, method: "ping" }, session)).status;
    expect(await status(oldest)).toBe(404);
    expect(await Promise.all(kept.map(status))).toEqual([200, 200]);
  });

  test("list_changed comes on one GET stream of each session only: the last one opened", async () => {
    const server = await start();
    const session = await openSession(server.url);
    const get = { method: "GET", headers: { ...session, accept: "text/event-stream" } };
    const first = await openStream(server.url, get);
    const second = await openStream(server.url, get);
    const toggle = { name: "toggle", arguments: { name: "new", present: true } };
    await legacy(server.url, { id: 1, method: "tools/call", params: toggle }, session);
    await vi.waitFor(() => {
      expect(second.messages).toEqual([{ jsonrpc: "2.0", method: "notifications/tools/list_changed" }]);
    });
    expect(first.messages).toEqual([]);
    second.leave();
    await vi.waitFor(() => {
      expect(server.streams).toBe(1);
    });
  });

  test("progress goes ahead of the answer on the stream of the POST", async () => {
    const { url } = await start();
    const session = await openSession(url);
    const params = { name: "slow", arguments: { ms: 2, steps: 2 }, _meta: { progressToken: 9 } };
    const answer = await legacy(url, { id: 1, method: "tools/call", params }, session);
    expect(answer.headers["content-type"]).toBe("text/event-stream");
    expect(messagesOf(answer.text).map(({ method, id }) => method ?? id)).toEqual([
      "notifications/progress",
      "notifications/progress",
      1,
    ]);
  });

  test.each([[undefined], ["token"]])(
    "notifications/cancelled stops the call; nothing is sent for it (token %s)",
    async (token) => {
      const server = await start();
      const session = await openSession(server.url);
      const pending = legacy(server.url, slowCall(41, token) as never, session);
      await vi.waitFor(() => {
        expect(server.calls.inFlight).toBe(1);
      });
      for (const requestId of [99, "41", 41, 41]) {
        await legacy(server.url, { method: "notifications/cancelled", params: { requestId } }, session);
      }
      const answer = await pending;
      expect(messagesOf(answer.text).filter(({ id }) => id !== undefined)).toEqual([]);
      expect(server.calls).toMatchObject({ started: 1, cancelled: 1, inFlight: 0 });
    },
  );

  test("another session cannot cancel it", async () => {
    const server = await start();
    const [mine, theirs] = [await openSession(server.url), await openSession(server.url)];
    const pending = legacy(server.url, slowCall(1) as never, mine).catch(() => "cut off");
    await vi.waitFor(() => {
      expect(server.calls.inFlight).toBe(1);
    });
    await legacy(server.url, { method: "notifications/cancelled", params: { requestId: 1 } }, theirs);
    expect(server.calls.inFlight).toBe(1);
    await server.close();
    expect(await pending).toBe("cut off");
  });

  test("a client that goes away has not cancelled anything", async () => {
    const server = await start();
    const session = await openSession(server.url);
    const stream = await openStream(server.url, {
      method: "POST",
      headers: { ...session, "content-type": "application/json", accept: "application/json, text/event-stream" },
      body: JSON.stringify({ jsonrpc: "2.0", ...slowCall(1, "t") }),
    });
    stream.leave();
    expect(await stream.ended).toBe(false);
    await legacy(server.url, { id: 2, method: "ping" }, session);
    expect(server.calls).toMatchObject({ inFlight: 1, cancelled: 0 });
  });

  test("logging/setLevel decides which log messages a session gets", async () => {
    const { url } = await start();
    const session = await openSession(url);
    const slow = { id: 1, method: "tools/call", params: { name: "slow", arguments: { ms: 0 } } };
    const set = async (level: string): Promise<object> =>
      json(await legacy(url, { id: 2, method: "logging/setLevel", params: { level } }, session));
    expect((await legacy(url, slow, session)).headers["content-type"]).toBe("application/json");
    expect(await set("loud")).toMatchObject({ error: { code: -32_602 } });
    expect(await set("debug")).toMatchObject({ result: {} });
    const [log] = messagesOf((await legacy(url, slow, session)).text);
    expect(log).toMatchObject({ method: "notifications/message", params: { level: "info", logger: "fixture" } });
  });

  test("without sessions every message stands alone, and there is neither GET nor DELETE", async () => {
    const server = await start({ sessions: false });
    const init = await legacy(server.url, initializeMessage("2025-06-18"));
    expect(init.headers["mcp-session-id"]).toBeUndefined();
    expect(resultOf(init)["capabilities"]).toEqual({ tools: {}, resources: {}, prompts: {}, completions: {} });
    const who = { id: 1, method: "tools/call", params: { name: "whoami", arguments: {} } };
    const answer = resultOf(await legacy(server.url, who, { "mcp-protocol-version": "2025-06-18" }));
    expect(answer["structuredContent"]).toMatchObject({
      protocolVersion: "2025-06-18",
      session: false,
      clientInfo: null,
    });
    const unnamed = resultOf(await legacy(server.url, who));
    expect(unnamed["structuredContent"]).toMatchObject({ protocolVersion: "2025-03-26" });
    for (const method of ["logging/setLevel", "resources/subscribe", "resources/unsubscribe"]) {
      const params = { level: "debug", uri: "fixture://cortex-fixture/hello" };
      expect(errorOf(await legacy(server.url, { id: 2, method, params }))["code"]).toBe(-32_601);
    }
    for (const method of ["GET", "DELETE"]) {
      const refused = await raw(server.url, method, {});
      expect([refused.status, refused.headers.allow]).toEqual([405, "POST"]);
    }
  });

  test("--json-only has no GET stream, but sessions that can be ended", async () => {
    const { url } = await start({ jsonOnly: true });
    const session = await openSession(url);
    expect(await raw(url, "GET", session)).toMatchObject({ status: 405, headers: { allow: "POST, DELETE" } });
    expect((await raw(url, "DELETE", session)).status).toBe(200);
  });
});
