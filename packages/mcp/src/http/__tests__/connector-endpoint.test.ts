import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { json } from "node:stream/consumers";
import { specOf } from "../../__tests__/support/specs.js";
import { describe, expect, test, vi } from "vitest";
import {
  answerOf,
  askLegacy,
  askModern,
  failOnLeaks,
  initialize,
  messagesOf,
  rawModern,
  specAt,
  startFront,
  startGateway,
  startServed,
  startUpstream,
} from "../../__tests__/support/gateway.js";
import { RawConnection, send, startServer } from "../../__tests__/support/http.js";

failOnLeaks();

async function served() {
  const modern = await startUpstream({ era: "modern" });
  const legacy = await startUpstream({ era: "legacy" });
  const running = await startServed([
    specAt("m", modern.url),
    specAt("l", legacy.url),
    specOf("off", { disabled: true }),
  ]);
  return { ...running, modern, legacy };
}

const BOTH = ["m", "l"] as const;

describe("/mcp/-/<key>: one connector exactly as it is", () => {
  test.each(BOTH)("%s is discovered as what it says of itself, with the revisions the gateway speaks", async (key) => {
    const { port } = await served();
    const own = answerOf(await askModern(port, "server/discover", {}, `/mcp/-/${key}`));
    expect(own).toMatchObject({
      result: {
        resultType: "complete",
        supportedVersions: ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"],
        _meta: { "io.modelcontextprotocol/serverInfo": { name: "cortex-fixture" } },
        cacheScope: "public",
      },
    });
    const whole = answerOf(await askModern(port, "server/discover"));
    expect(whole).toMatchObject({
      result: { _meta: { "io.modelcontextprotocol/serverInfo": { name: "cortex-mcp" } } },
    });
  });

  test.each(BOTH)("%s is initialized as what it says of itself", async (key) => {
    const { port } = await served();
    const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "t", version: "1" } };
    const message = { jsonrpc: "2.0", id: "i", method: "initialize", params };
    const reply = await askLegacy(port, message, {}, `/mcp/-/${key}`);
    expect(answerOf(reply)).toMatchObject({
      id: "i",
      result: { protocolVersion: "2025-06-18", serverInfo: { name: "cortex-fixture" } },
    });
  });

  test.each(BOTH)("%s lists its tools under their own names, and is called by them, in both eras", async (key) => {
    const { port } = await served();
    const path = `/mcp/-/${key}`;
    const list = answerOf(await askModern(port, "tools/list", {}, path));
    expect(JSON.stringify(list)).toContain('"name":"echo"');
    expect(JSON.stringify(list)).not.toContain("__");
    const call = { name: "echo", arguments: { message: "hi" } };
    expect(JSON.stringify(answerOf(await askModern(port, "tools/call", call, path)))).toContain("hi");
    const client = await initialize(port, "2025-11-25", path);
    expect(JSON.stringify(answerOf(await client.request(1, "tools/list")))).toContain('"name":"echo"');
    expect(JSON.stringify(answerOf(await client.request(2, "tools/call", call)))).toContain("hi");
  });

  test.each(BOTH)("%s itself says what is unknown to it", async (key) => {
    const { port } = await served();
    const path = `/mcp/-/${key}`;
    const own = answerOf(await askModern(port, "tools/call", { name: "nobody" }, path));
    const whole = answerOf(await askModern(port, "tools/call", { name: "nobody" }));
    expect(JSON.stringify(own)).toContain("nobody");
    expect(own).not.toEqual(whole);
  });

  test("a session of one address is unknown at every other", async () => {
    const { port } = await served();
    const whole = await initialize(port);
    const own = await initialize(port, "2025-11-25", "/mcp/-/m");
    const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
    const status = async (headers: Record<string, string>, path: string): Promise<number> =>
      (await askLegacy(port, ping, headers, path)).status;
    expect(await status(own.headers, "/mcp/-/m")).toBe(200);
    expect(await status(own.headers, "/mcp/-/l")).toBe(404);
    expect(await status(own.headers, "/mcp")).toBe(404);
    expect(await status(whole.headers, "/mcp/-/m")).toBe(404);
    expect(await status(whole.headers, "/mcp")).toBe(200);
    const leave = async (path: string): Promise<number> =>
      (await send({ port, method: "DELETE", path, headers: own.headers })).status;
    expect(await leave("/mcp")).toBe(404);
    expect(await leave("/mcp/-/m")).toBe(200);
    expect(await status(own.headers, "/mcp/-/m")).toBe(404);
  });

  test("tools of a connector that says it has none are told to nobody: one that breaks the rules could be among them (T15)", async () => {
    const tool = { name: "bad", inputSchema: { properties: { a: { type: "number", "x-mcp-header": "A" } } } };
    const hints = { resultType: "complete", ttlMs: 0, cacheScope: "public" };
    const { port: careless } = await startServer((request, response) => {
      void (async () => {
        const { id, method } = (await json(request)) as JsonObject;
        const supportedVersions = ["2026-07-28"];
        const result = method === "server/discover" ? { supportedVersions, capabilities: {} } : { tools: [tool] };
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ jsonrpc: "2.0", id, result: { ...hints, ...result } }));
      })();
    });
    const { port } = await startServed([specAt("m", `http://127.0.0.1:${careless}/mcp`)]);
    const error = { code: -32_601, message: "Method not found: tools/list" };
    expect(answerOf(await askModern(port, "tools/list", {}, "/mcp/-/m"))).toMatchObject({ error });
    const client = await initialize(port, "2025-11-25", "/mcp/-/m");
    expect(answerOf(await client.request(1, "tools/list"))).toMatchObject({ error });
  });

  test("batches of 2025-03-26 work there", async () => {
    const { port } = await served();
    const { headers } = await initialize(port, "2025-03-26", "/mcp/-/l");
    const batch = [
      { jsonrpc: "2.0", id: 1, method: "ping" },
      { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "echo", arguments: { message: "hi" } } },
    ];
    const reply = await send({
      port,
      method: "POST",
      path: "/mcp/-/l",
      headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
      body: JSON.stringify(batch),
    });
    expect(new Set(messagesOf(reply).map(({ id }) => id))).toEqual(new Set([1, 2]));
  });

  test("a key that no connector has is 404 for every method, and nobody else's catalog", async () => {
    const { port, metrics } = await served();
    const reply = await askModern(port, "tools/list", {}, "/mcp/-/nobody");
    expect(reply.status).toBe(404);
    expect(answerOf(reply)).toEqual({
      jsonrpc: "2.0",
      id: 1,
      error: { code: -32_600, message: 'There is no connector "nobody" here: cortex-mcp list shows which there are' },
    });
    for (const method of ["GET", "DELETE"]) {
      const headers = { "mcp-session-id": "x", accept: "text/event-stream" };
      expect((await send({ port, method, path: "/mcp/-/nobody", headers })).status).toBe(404);
    }
    expect(await metrics.exposition()).toContain('brainwav_mcp_rejected_requests_total{reason="scope"} 3');
  });

  test.each(["/mcp/m", "/mcp/-/m/", "/mcp/-/", "/mcp/-/%6D%2F", "/mcp/%2D/m"])("%s is 404", async (path) => {
    const { port } = await served();
    const reply = await askModern(port, "tools/list", {}, path);
    expect([reply.status, reply.text]).toEqual([404, ""]);
  });

  test("a disabled connector says that it is, in either era", async () => {
    const { port } = await served();
    const error = { code: -31_001, message: 'Not available: connector "off" is disabled' };
    for (const method of ["server/discover", "tools/list", "tools/call", "subscriptions/listen"]) {
      const params = { name: "x", notifications: {} };
      expect(answerOf(await askModern(port, method, params, "/mcp/-/off"))).toMatchObject({ error });
    }
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } };
    const reply = await askLegacy(port, { jsonrpc: "2.0", id: 9, method: "initialize", params }, {}, "/mcp/-/off");
    expect(answerOf(reply)).toEqual({ jsonrpc: "2.0", id: 9, error });
    expect(reply.headers["mcp-session-id"]).toBeUndefined();
  });

  test("asked before it is known which connectors there are, it waits for that, and a client that goes meanwhile does not", async () => {
    const upstream = await startUpstream();
    const { port: silent } = await startServer(() => {});
    const slow = specAt("slow", `http://127.0.0.1:${silent}/mcp`);
    const running = await startGateway([slow], { startup: { graceMs: 1 } });
    const { port = 0 } = await startFront(running);
    const impatient = await RawConnection.open(port);
    impatient.write(rawModern("server/discover").replace("/mcp", "/mcp/-/b"));
    const early = askModern(port, "server/discover", {}, "/mcp/-/a");
    const unknown = askModern(port, "server/discover", {}, "/mcp/-/b");
    // By the time that this is answered the gateway has read what came before, and afterwards that the client is gone.
    await send({ port, method: "GET", path: "/livez" });
    impatient.socket.destroy();
    await send({ port, method: "GET", path: "/livez" });
    running.source.name([slow, specAt("a", upstream.url)]);
    expect([(await early).status, (await unknown).status]).toEqual([200, 404]);
    expect(await running.metrics.exposition()).toContain('rejected_requests_total{reason="scope"} 1');
  });

  test("sessions end when the connector is removed, and its streams with them", async () => {
    const { port, gateway, source, modern } = await served();
    const client = await initialize(port, "2025-11-25", "/mcp/-/l");
    const stream = await RawConnection.open(port);
    const lines = Object.entries(client.headers).map(([name, value]) => `${name}: ${value}`);
    stream.write(
      ["GET /mcp/-/l HTTP/1.1", "host: localhost", "accept: text/event-stream", ...lines, "", ""].join("\r\n"),
    );
    await vi.waitFor(() => expect(gateway.sessions.find(client.id)?.isListening).toBe(true));
    source.name([specAt("m", modern.url)]);
    await vi.waitFor(() => expect(gateway.sessions.size).toBe(0));
    await vi.waitFor(() => expect(stream.received).toContain("0\r\n\r\n"));
    expect((await client.request(1, "ping")).status).toBe(404);
  });
});
