import { META, SUPPORTED_REVISIONS, type JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import {
  answerOf,
  askModern,
  failOnLeaks,
  messagesOf,
  modernRequest,
  rawModern,
  specAt,
  startServed,
  startUpstream,
} from "../../__tests__/support/gateway.js";
import { RawConnection, send, type Reply } from "../../__tests__/support/http.js";

failOnLeaks();

async function served() {
  const modern = await startUpstream({ era: "modern" });
  const legacy = await startUpstream({ era: "legacy" });
  const running = await startServed([specAt("m", modern.url), specAt("l", legacy.url)]);
  return { ...running, modern, legacy };
}

describe("/mcp for modern clients (R22)", () => {
  test("server/discover says what we speak and can", async () => {
    const { port } = await served();
    const reply = await askModern(port, "server/discover");
    expect(reply.status).toBe(200);
    expect(answerOf(reply)).toMatchObject({
      id: 1,
      result: { supportedVersions: SUPPORTED_REVISIONS, capabilities: { tools: { listChanged: true } } },
    });
  });

  test("tools/list has the tools of upstreams of both eras, under their keys", async () => {
    const { port } = await served();
    const { result } = answerOf(await askModern(port, "tools/list")) as { result: { tools: { name: string }[] } };
    const names = result.tools.map(({ name }) => name);
    expect(names).toContain("m__echo");
    expect(names).toContain("l__echo");
    expect(names).toEqual(names.toSorted());
    expect(result).toMatchObject({ resultType: "complete", cacheScope: expect.stringMatching(/^(public|private)$/) });
  });

  test.each(["m", "l"])("tools/call reaches %s and its answer comes back with the client's id", async (key) => {
    const { port } = await served();
    const reply = await send({
      port,
      method: "POST",
      path: "/mcp",
      ...modernRequest("tools/call", { name: `${key}__echo`, arguments: { message: "hello" } }, "my id"),
    });
    const answer = answerOf(reply);
    expect(answer).toMatchObject({ jsonrpc: "2.0", id: "my id", result: { resultType: "complete" } });
    expect(JSON.stringify(answer)).toContain("hello");
  });

  test.each(["m", "l"])("progress of %s comes before the answer, under the caller's own token", async (key) => {
    const { port } = await served();
    const _meta = { [META.protocolVersion]: "2026-07-28", [META.clientCapabilities]: {}, progressToken: "tok" };
    const params = { name: `${key}__slow`, arguments: { ms: 30, steps: 2 }, _meta };
    const messages = messagesOf(await askModern(port, "tools/call", params));
    const progress = messages.filter(({ method }) => method === "notifications/progress");
    expect(progress).toHaveLength(2);
    for (const { params: own } of progress) expect(own).toMatchObject({ progressToken: "tok" });
    expect(messages.at(-1)).toMatchObject({ id: 1, result: {} });
  });

  test.each(["m", "l"])("a client that goes away cancels its call at %s", async (key) => {
    const { port, modern, legacy } = await served();
    const upstream = key === "m" ? modern : legacy;
    const connection = await RawConnection.open(port);
    connection.write(rawModern("tools/call", { name: `${key}__slow`, arguments: { ms: 60_000 } }));
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(1));
    connection.close();
    await vi.waitFor(() => expect(upstream.calls).toMatchObject({ cancelled: 1, inFlight: 0 }));
  });

  test("an unknown method is HTTP 404 and −32601", async () => {
    const { port } = await served();
    const reply = await askModern(port, "roots/list");
    expect(reply.status).toBe(404);
    expect(answerOf(reply)).toEqual({
      jsonrpc: "2.0",
      id: 1,
      error: { code: -32_601, message: "Method not found: roots/list" },
    });
  });

  test("an unknown tool is HTTP 200 and −32602, a tool of a connector that never came up −31001 with the reason", async () => {
    const { port } = await startServed([
      specAt("gone", "http://127.0.0.1:1/mcp"),
      specAt("m", (await startUpstream()).url),
    ]);
    const unknown = await askModern(port, "tools/call", { name: "nope" });
    expect([unknown.status, answerOf(unknown)]).toMatchObject([
      200,
      { error: { code: -32_602, message: 'Unknown tool: "nope"' } },
    ]);
    const down = await askModern(port, "tools/call", { name: "gone__echo" });
    expect([down.status, answerOf(down)]).toMatchObject([
      200,
      { id: 1, error: { code: -31_001, message: expect.stringContaining('connector "gone" is down') } },
    ]);
  });

  test("a header that does not match the body is HTTP 400 and −32020, counted, and reaches no upstream", async () => {
    const { port, modern, metrics } = await served();
    const before = modern.requests.total;
    const { headers, body } = modernRequest("tools/call", { name: "m__echo", arguments: { message: "x" } });
    const reply = await send({
      port,
      method: "POST",
      path: "/mcp",
      headers: { ...headers, "mcp-name": "m__add" },
      body,
    });
    expect(reply.status).toBe(400);
    expect(answerOf(reply)).toMatchObject({ id: 1, error: { code: -32_020 } });
    expect(modern.requests.total).toBe(before);
    expect(await metrics.exposition()).toContain('brainwav_mcp_rejected_requests_total{reason="headers"} 1');
  });

  test("a revision that only the body names is missing its header; one we do not know is −32022", async () => {
    const { port } = await served();
    const { headers, body } = modernRequest("tools/list");
    const { "mcp-protocol-version": _dropped, ...others } = headers;
    const missing = await send({ port, method: "POST", path: "/mcp", headers: others, body });
    expect([missing.status, answerOf(missing)]).toMatchObject([400, { error: { code: -32_020 } }]);
    const unknown = await send({
      port,
      method: "POST",
      path: "/mcp",
      headers: { ...headers, "mcp-protocol-version": "2099-01-01" },
      body: body.replace("2026-07-28", "2099-01-01"),
    });
    expect([unknown.status, answerOf(unknown)]).toMatchObject([
      400,
      { error: { code: -32_022, data: { supported: SUPPORTED_REVISIONS, requested: "2099-01-01" } } },
    ]);
  });

  test("a notification is accepted with 202 and no body; a response is refused", async () => {
    const { port } = await served();
    const headers = modernRequest("x").headers;
    const notification = await send({
      port,
      method: "POST",
      path: "/mcp",
      headers,
      body: '{"jsonrpc":"2.0","method":"notifications/whatever"}',
    });
    expect([notification.status, notification.text]).toEqual([202, ""]);
    const response = await send({
      port,
      method: "POST",
      path: "/mcp",
      headers,
      body: '{"jsonrpc":"2.0","id":1,"result":{}}',
    });
    expect([response.status, answerOf(response)]).toEqual([
      400,
      { jsonrpc: "2.0", error: { code: -32_600, message: "Clients of this revision do not send responses" } },
    ]);
  });

  test("GET and DELETE are 405, and a session id or Last-Event-ID means nothing (T20)", async () => {
    const { port } = await served();
    for (const method of ["GET", "DELETE"]) {
      for (const headers of [{}, { "mcp-protocol-version": "2026-07-28", "mcp-session-id": "x" }]) {
        const reply = await send({ port, method, path: "/mcp", headers });
        expect([reply.status, reply.headers.allow]).toEqual([405, "POST"]);
      }
    }
    const { headers, body } = modernRequest("tools/list");
    const reply = await send({
      port,
      method: "POST",
      path: "/mcp",
      headers: { ...headers, "mcp-session-id": "made-up", "last-event-id": "7" },
      body,
    });
    expect(reply.status).toBe(200);
    expect(reply.headers).not.toHaveProperty("mcp-session-id");
  });

  test("Mcp-Param headers travel on as they came to an upstream of the same era", async () => {
    const { port } = await served();
    const { headers, body } = modernRequest("tools/call", { name: "m__echo", arguments: { message: "x" } });
    const reply = await send({
      port,
      method: "POST",
      path: "/mcp",
      headers: { ...headers, "Mcp-Param-Unknown": "eu" },
      body,
    });
    expect(answerOf(reply)).toMatchObject({ result: {} });
  });

  test.each(["m", "l"])(
    "T10: Mcp-Param headers that differ from the body are 400 and −32020 also for %s",
    async (key) => {
      const { port } = await served();
      const ask = async (args: JsonObject, own: Record<string, string>): Promise<Reply> => {
        const { headers, body } = modernRequest("tools/call", { name: `${key}__whoami`, arguments: args });
        return send({ port, method: "POST", path: "/mcp", headers: { ...headers, ...own }, body });
      };
      for (const [args, own] of [
        [{ region: "eu" }, { "Mcp-Param-Region": "us" }],
        [{ region: "eu" }, {}],
        [{ region: null }, { "Mcp-Param-Region": "null" }],
        [{}, { "Mcp-Param-Region": "eu" }],
        [{ region: "eu" }, { "Mcp-Param-Region": "=?base64?ZXU?=" }],
      ] as const) {
        const reply = await ask(args, own);
        expect([reply.status, answerOf(reply)]).toMatchObject([
          400,
          { id: 1, error: { code: -32_020, message: expect.stringContaining("Header mismatch: mcp-param-region") } },
        ]);
      }
      const good = await ask(
        { region: "eu", placement: { shard: 42 } },
        {
          "Mcp-Param-Region": "=?base64?ZXU=?=",
          "Mcp-Param-Shard": "42.0",
        },
      );
      expect([good.status, answerOf(good)]).toMatchObject([200, { result: {} }]);
    },
  );

  test("subscriptions/listen is acknowledged first, hears of changed tools, and ends with a result", async () => {
    const { port, gateway } = await served();
    const connection = await RawConnection.open(port);
    connection.write(rawModern("subscriptions/listen", { notifications: { toolsListChanged: true } }, "sub"));
    await connection.until(/acknowledged/);
    await askModern(port, "tools/call", { name: "m__toggle", arguments: { name: "fresh", present: true } });
    await connection.until(/list_changed/);
    await vi.waitFor(async () => {
      const list = await askModern(port, "tools/list");
      expect(list.text).toContain("m__fresh");
    });
    gateway.endStreams();
    const text = await connection.until(/0\r\n\r\n$/);
    const messages = messagesOf({ headers: { "content-type": "text/event-stream" }, text });
    expect(messages[0]).toMatchObject({ method: "notifications/subscriptions/acknowledged" });
    expect(messages[1]).toMatchObject({ method: "notifications/tools/list_changed" });
    expect(messages.at(-1)).toEqual({
      jsonrpc: "2.0",
      id: "sub",
      result: { resultType: "complete", _meta: { [META.subscriptionId]: "sub" } },
    });
    for (const message of messages) expect(JSON.stringify(message)).toContain(`"${META.subscriptionId}":"sub"`);
    connection.close();
  });

  test("a listener that goes away is forgotten", async () => {
    const { port, gateway, metrics } = await served();
    const connection = await RawConnection.open(port);
    connection.write(rawModern("subscriptions/listen", { notifications: {} }));
    await connection.until(/acknowledged/);
    gateway.measure();
    expect(await metrics.exposition()).toContain("brainwav_mcp_listeners 1");
    connection.close();
    await vi.waitFor(async () => {
      gateway.measure();
      expect(await metrics.exposition()).toContain("brainwav_mcp_listeners 0");
    });
  });

  test("50 calls at once with one id each come back to their own callers", async () => {
    const { port } = await served();
    const texts = Array.from({ length: 50 }, (_, at) => `text ${at}`);
    const answers = await Promise.all(
      texts.map(async (text, at) =>
        askModern(port, "tools/call", { name: `${at % 2 === 0 ? "m" : "l"}__echo`, arguments: { message: text } }),
      ),
    );
    for (const [at, answer] of answers.entries()) expect(answer.text).toContain(`text ${at}"`);
  });
});
