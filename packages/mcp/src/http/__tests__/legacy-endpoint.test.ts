import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import {
  answerOf,
  askLegacy,
  askModern,
  failOnLeaks,
  initialize,
  messagesOf,
  specAt,
  startServed,
  startUpstream,
  type LegacyClient,
} from "../../__tests__/support/gateway.js";
import { RawConnection, send } from "../../__tests__/support/http.js";

failOnLeaks();

async function served() {
  const modern = await startUpstream({ era: "modern" });
  const legacy = await startUpstream({ era: "legacy" });
  const running = await startServed([specAt("m", modern.url), specAt("l", legacy.url)]);
  return { ...running, modern, legacy };
}

/** Opens a session's GET stream. */
async function listen(port: number, { headers }: LegacyClient): Promise<RawConnection> {
  const connection = await RawConnection.open(port);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  connection.write(
    ["GET /mcp HTTP/1.1", "host: localhost", "accept: text/event-stream", ...lines, "", ""].join("\r\n"),
  );
  return connection;
}

const initializing = (params: JsonObject) => ({ jsonrpc: "2.0", id: 0, method: "initialize", params }) as const;

describe("initialize (2025-11-25, Lifecycle)", () => {
  test.each([
    ["2025-11-25", "2025-11-25"],
    ["2025-06-18", "2025-06-18"],
    ["2025-03-26", "2025-03-26"],
    ["2024-11-05", "2024-11-05"],
    ["2026-07-28", "2025-11-25"],
    ["1.0", "2025-11-25"],
  ])("a client that asks for %s is offered %s", async (asked, offered) => {
    const { port } = await startServed([]);
    const reply = await askLegacy(port, initializing({ protocolVersion: asked, capabilities: {} }));
    expect(reply.status).toBe(200);
    expect(reply.headers["mcp-session-id"]).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(answerOf(reply)).toEqual({
      jsonrpc: "2.0",
      id: 0,
      result: {
        protocolVersion: offered,
        capabilities: {
          tools: { listChanged: true },
          resources: { listChanged: true, subscribe: true },
          prompts: { listChanged: true },
          completions: {},
          logging: {},
        },
        serverInfo: { name: "cortex-mcp", version: "1.2.3" },
      },
    });
  });

  test("without a revision is refused, and no session is made", async () => {
    const { port, gateway } = await startServed([]);
    const reply = await askLegacy(port, initializing({}));
    expect(answerOf(reply)).toEqual({
      jsonrpc: "2.0",
      id: 0,
      error: { code: -32_602, message: "params.protocolVersion is missing" },
    });
    expect(gateway.sessions.size).toBe(0);
  });

  test("when every session is in use is HTTP 503 with when to try again", async () => {
    const { port, gateway, logger } = await startServed([], { sessions: { maxSessions: 1 } });
    const first = await initialize(port);
    const stream = await listen(port, first);
    await stream.until(/text\/event-stream/);
    const reply = await askLegacy(port, initializing({ protocolVersion: "2025-11-25" }));
    expect(reply.status).toBe(503);
    expect(answerOf(reply)).toEqual({
      jsonrpc: "2.0",
      id: 0,
      error: {
        code: -31_003,
        message: "All 1 client sessions are in use; try again later",
        data: { retryAfterMs: 1_000 },
      },
    });
    expect(logger.messages("warn")).toContain("Client session refused");
    stream.close();
    await vi.waitFor(() => expect(gateway.sessions.find(first.id)?.isBusy).toBe(false));
    expect((await askLegacy(port, initializing({ protocolVersion: "2025-11-25" }))).status).toBe(200);
    expect((await first.request(1, "ping")).status).toBe(404);
  });
});

describe("a legacy session (R22)", () => {
  test("lists and calls tools of upstreams of both eras, and sees none of the modern era's members", async () => {
    const { port } = await served();
    const client = await initialize(port);
    const list = answerOf(await client.request(1, "tools/list")) as { result: Record<string, unknown> };
    expect(Object.keys(list.result)).toEqual(["tools"]);
    for (const key of ["m", "l"]) {
      const answer = answerOf(
        await client.request(key, "tools/call", { name: `${key}__echo`, arguments: { message: "hello" } }),
      );
      expect(answer).toMatchObject({ id: key, result: { content: [{ type: "text" }] } });
      expect(answer["result"]).not.toHaveProperty("resultType");
      expect(JSON.stringify(answer)).toContain("hello");
    }
  });

  test("pings, and gets −32601 with HTTP 200 for what is not served", async () => {
    const { port } = await startServed([]);
    const client = await initialize(port);
    expect(answerOf(await client.request("p", "ping"))).toEqual({ jsonrpc: "2.0", id: "p", result: {} });
    const unknown = await client.request(2, "roots/list");
    expect([unknown.status, answerOf(unknown)]).toMatchObject([200, { id: 2, error: { code: -32_601 } }]);
  });

  test("may leave the version header out, but not name a revision we do not speak", async () => {
    const { port, metrics } = await startServed([]);
    const client = await initialize(port);
    const ping = { jsonrpc: "2.0", id: 1, method: "ping" } as const;
    expect((await askLegacy(port, ping, { "mcp-session-id": client.id })).status).toBe(200);
    const reply = await askLegacy(port, ping, { "mcp-session-id": client.id, "mcp-protocol-version": "2020-01-01" });
    expect([reply.status, answerOf(reply)]).toMatchObject([
      400,
      { error: { code: -32_022, data: { requested: "2020-01-01" } } },
    ]);
    expect(await metrics.exposition()).toContain('brainwav_mcp_rejected_requests_total{reason="headers"} 1');
  });

  test("is needed: a request without one is 400, with an unknown one 404; both are counted", async () => {
    const { port, metrics } = await startServed([]);
    const ping = { jsonrpc: "2.0", id: 1, method: "ping" } as const;
    const without = await askLegacy(port, ping);
    expect([without.status, answerOf(without)]).toEqual([
      400,
      { jsonrpc: "2.0", error: { code: -32_600, message: "Mcp-Session-Id is missing: initialize first" } },
    ]);
    const unknown = await askLegacy(port, ping, { "mcp-session-id": "made-up" });
    expect([unknown.status, answerOf(unknown)]).toEqual([
      404,
      { jsonrpc: "2.0", error: { code: -32_600, message: "Session not found: initialize again" } },
    ]);
    expect(await metrics.exposition()).toContain('brainwav_mcp_rejected_requests_total{reason="session"} 2');
  });

  test("1,000 guessed ids open nothing (reliability.md, threat 11)", async () => {
    const { port, gateway } = await startServed([]);
    const { id } = await initialize(port);
    let opened = 0;
    for (let guess = 0; guess < 1_000; guess += 1) {
      const at = guess % id.length;
      const other = id[at] === "A" ? "B" : "A";
      if (gateway.sessions.use(id.slice(0, at) + other + id.slice(at + 1), gateway.scopes.whole) !== undefined)
        opened += 1;
    }
    expect(opened).toBe(0);
  });

  test("ends by DELETE, and is 404 from then on", async () => {
    const { port, legacy } = await served();
    const client = await initialize(port);
    await client.request(1, "tools/call", { name: "l__echo", arguments: { message: "x" } });
    const sessions = legacy.sessions;
    expect((await send({ port, method: "DELETE", path: "/mcp", headers: client.headers })).status).toBe(200);
    expect((await client.request(2, "ping")).status).toBe(404);
    expect((await send({ port, method: "DELETE", path: "/mcp", headers: client.headers })).status).toBe(404);
    // Its own session at the upstream ends with it (design.md, decision 6).
    await vi.waitFor(() => expect(legacy.sessions).toBeLessThan(sessions));
  });

  test("accepts notifications and responses with 202", async () => {
    const { port } = await startServed([]);
    const client = await initialize(port);
    for (const message of [
      { jsonrpc: "2.0", method: "notifications/roots/list_changed" },
      { jsonrpc: "2.0", method: "notifications/cancelled" },
      { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: { odd: true } } },
      { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "unknown" } },
      { jsonrpc: "2.0", id: 9, result: {} },
    ]) {
      const reply = await askLegacy(port, message, client.headers);
      expect([reply.status, reply.text]).toEqual([202, ""]);
    }
  });
});

describe("a legacy call", () => {
  test.each(["m", "l"])("is cancelled at %s by a message, and its answer ends without a response", async (key) => {
    const { port, modern, legacy } = await served();
    const upstream = key === "m" ? modern : legacy;
    const client = await initialize(port);
    const replying = client.request(7, "tools/call", { name: `${key}__slow`, arguments: { ms: 60_000 } });
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(1));
    await client.notify("notifications/cancelled", { requestId: 7, reason: "enough" });
    const reply = await replying;
    expect(
      messagesOf({ headers: { "content-type": "text/event-stream" }, text: reply.text }).filter((m) => "id" in m),
    ).toEqual([]);
    await vi.waitFor(() => expect(upstream.calls).toMatchObject({ cancelled: 1, inFlight: 0 }));
  });

  test("under an id that is still in use is refused, and the first one goes on", async () => {
    const { port, modern } = await served();
    const client = await initialize(port);
    const first = client.request(1, "tools/call", { name: "m__slow", arguments: { ms: 300 } });
    await vi.waitFor(() => expect(modern.calls.inFlight).toBe(1));
    expect(answerOf(await client.request(1, "ping"))).toEqual({
      jsonrpc: "2.0",
      id: 1,
      error: { code: -32_600, message: "Another request with this id is still under way" },
    });
    expect(answerOf(await client.request("1", "ping"))).toMatchObject({ result: {} });
    expect(answerOf(await first)).toMatchObject({ id: 1, result: {} });
    expect(answerOf(await client.request(1, "ping"))).toMatchObject({ result: {} });
  });

  test("cannot be cancelled by another session under the same id", async () => {
    const { port, modern } = await served();
    const [mine, stranger] = [await initialize(port), await initialize(port)];
    const replying = mine.request(1, "tools/call", { name: "m__slow", arguments: { ms: 200 } });
    await vi.waitFor(() => expect(modern.calls.inFlight).toBe(1));
    await stranger.notify("notifications/cancelled", { requestId: 1 });
    expect(answerOf(await replying)).toMatchObject({ id: 1, result: {} });
  });
});

describe("a legacy session's stream", () => {
  test("tells of changed tools, refuses a second one, and ends with the session", async () => {
    const { port } = await served();
    const client = await initialize(port);
    const stream = await listen(port, client);
    expect(await stream.until(/text\/event-stream/)).toMatch(/^HTTP\/1\.1 200 /);
    const second = await send({ port, path: "/mcp", headers: client.headers });
    expect([second.status, answerOf(second)]).toEqual([
      409,
      { jsonrpc: "2.0", error: { code: -32_600, message: "This session has a stream already; close it first" } },
    ]);
    await askModern(port, "tools/call", { name: "m__toggle", arguments: { name: "fresh", present: true } });
    await stream.until(/"method":"notifications\/tools\/list_changed"/);
    await send({ port, method: "DELETE", path: "/mcp", headers: client.headers });
    await stream.until(/0\r\n\r\n$/);
    stream.close();
  });

  test("can be opened again when it broke, and then tells what was missed", async () => {
    const { port, gateway } = await served();
    const client = await initialize(port);
    const first = await listen(port, client);
    await first.until(/text\/event-stream/);
    first.close();
    await vi.waitFor(() => expect(gateway.sessions.find(client.id)?.isListening).toBe(false));
    const { revision } = gateway.status();
    await client.request(1, "tools/call", { name: "m__toggle", arguments: { name: "fresh", present: true } });
    await vi.waitFor(() => expect(gateway.status().revision).not.toBe(revision));
    const again = await listen(port, client);
    await again.until(/list_changed/);
    again.close();
  });

  test("needs a session that lives", async () => {
    const { port } = await startServed([]);
    const reply = await send({ port, path: "/mcp", headers: { "mcp-session-id": "made-up" } });
    expect(reply.status).toBe(404);
    expect((await send({ port, path: "/mcp" })).status).toBe(405);
  });
});
