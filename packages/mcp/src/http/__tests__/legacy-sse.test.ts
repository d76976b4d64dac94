import { ManualTime } from "@cortex-os/mcp-core/testing";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import { failOnLeaks, specAt, startServed, startUpstream } from "../../__tests__/support/gateway.js";
import { RawConnection, send, type Reply } from "../../__tests__/support/http.js";
import type { ServeHttpOptions } from "../serve-http.js";

failOnLeaks();

const HEAD = "GET /sse HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n";
const INITIALIZE = { protocolVersion: "2024-11-05", capabilities: {}, clientInfo: { name: "test", version: "1" } };

async function served(options: Partial<ServeHttpOptions> = {}) {
  const upstream = await startUpstream();
  const running = await startServed([specAt("a", upstream.url)], {}, { legacySse: true, ...options });
  const { port } = running;
  const open = async () => {
    const stream = await RawConnection.open(port);
    stream.write(HEAD);
    const text = await stream.until(/event: endpoint\r?\ndata: \S+\n\n/);
    const address = /data: (\S+)/.exec(text)?.[1] ?? "";
    const post = async (body: string | object, headers: Record<string, string> = {}): Promise<Reply> =>
      send({
        port,
        method: "POST",
        path: address,
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
    const request = async (id: number, method: string, params?: JsonObject): Promise<Reply> =>
      post({ jsonrpc: "2.0", id, method, ...(params && { params }) });
    const messages = (): JsonObject[] =>
      [...stream.received.matchAll(/event: message\ndata: (.*)\n\n/g)].map(
        ([, data = ""]) => JSON.parse(data) as JsonObject,
      );
    const answer = async (id: number): Promise<JsonObject> =>
      vi.waitFor(() => {
        const found = messages().find((message) => message["id"] === id);
        if (found === undefined) throw new Error(`no answer ${id} in ${stream.received}`);
        return found;
      });
    return { stream, address, post, request, messages, answer };
  };
  return { ...running, upstream, open };
}

const call = (name: string, args: JsonObject): JsonObject => ({ name: `a__${name}`, arguments: args });

describe("the transport of 2024-11-05 (R22)", () => {
  test("tells where messages go, accepts them with 202, and answers on the stream", async () => {
    const { open, gateway } = await served();
    const client = await open();
    expect(client.stream.received).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*content-type: text\/event-stream\r\n/i);
    expect(client.address).toMatch(/^\/messages\?sessionId=[\w-]{43}$/);
    expect(await client.request(1, "initialize", INITIALIZE)).toMatchObject({ status: 202, text: "" });
    expect(await client.answer(1)).toMatchObject({ result: { protocolVersion: "2024-11-05" } });
    await client.post({ jsonrpc: "2.0", method: "notifications/initialized" });
    await client.request(2, "tools/list");
    expect(await client.answer(2)).toMatchObject({ result: { tools: expect.any(Array) } });
    await client.request(3, "tools/call", { ...call("slow", { ms: 20, steps: 2 }), _meta: { progressToken: 7 } });
    await client.answer(3);
    const progress = client.messages().filter(({ method }) => method === "notifications/progress");
    expect(progress).toMatchObject([{ params: { progressToken: 7 } }, { params: { progressToken: 7 } }]);
    expect(gateway.sessions.size).toBe(1);
    client.stream.close();
    await vi.waitFor(() => expect(gateway.sessions.size).toBe(0));
  });

  test("keeps clients apart: each has its stream and its session, and what it does not know it cannot use", async () => {
    const { open, port, metrics } = await served();
    const [one, other] = [await open(), await open()];
    expect(one.address).not.toBe(other.address);
    await one.request(1, "initialize", INITIALIZE);
    await other.request(1, "ping");
    expect(await other.answer(1)).toEqual({ jsonrpc: "2.0", id: 1, result: {} });
    const stranger = async (path: string, method = "POST"): Promise<Reply> =>
      send({ port, method, path, headers: { "content-type": "application/json" }, body: "{}" });
    for (const path of ["/messages", "/messages?sessionId=", "/messages?sessionId=x", `${one.address}x`])
      expect(await stranger(path)).toMatchObject({ status: 404 });
    expect(await stranger(one.address, "PUT")).toMatchObject({ status: 405, headers: { allow: "POST" } });
    expect(await send({ port, method: "POST", path: "/sse" })).toMatchObject({ status: 405 });
    expect(await metrics.exposition()).toContain('rejected_requests_total{reason="session"} 4');
    one.stream.close();
    await vi.waitFor(async () => expect(await stranger(one.address)).toMatchObject({ status: 404 }));
    expect(one.messages()).toHaveLength(1);
  });

  test("refuses what is no message, no JSON or too large", async () => {
    const { open } = await served({ limits: { bodyBytes: 200 } });
    const client = await open();
    expect(await client.post("nonsense")).toMatchObject({ status: 400 });
    expect(await client.post("[]")).toMatchObject({ status: 400 });
    expect(await client.post("{}", { "content-type": "text/plain" })).toMatchObject({ status: 415 });
    expect(await client.post(JSON.stringify({ a: "x".repeat(300) }))).toMatchObject({ status: 413 });
    expect(client.messages().map(({ error }) => error)).toMatchObject([{ code: -32_700 }, { code: -32_600 }]);
  });

  test("cancels by a message, and everything when the stream is gone", async () => {
    const { open, upstream } = await served();
    const client = await open();
    await client.request(1, "initialize", INITIALIZE);
    for (const id of [2, 3]) await client.request(id, "tools/call", call("slow", { ms: 60_000 }));
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(2));
    await client.post({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 2 } });
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(1));
    client.stream.close();
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(0));
  });

  test("is guarded like everything else, and is not there unless it is switched on", async () => {
    const { port } = await served();
    const get = async (headers: Record<string, string>): Promise<Reply> => send({ port, path: "/sse", headers });
    expect(await get({ host: "evil.example" })).toMatchObject({ status: 403 });
    expect(await get({ origin: "https://evil.example" })).toMatchObject({ status: 403 });
    const off = await served({ legacySse: false });
    for (const path of ["/sse", "/messages"])
      expect(await send({ port: off.port, path })).toMatchObject({ status: 404 });
  });

  test("keeps a quiet stream open", async () => {
    const time = new ManualTime();
    const { open } = await served({ timers: time });
    const { stream } = await open();
    await time.advance(15_000);
    await stream.until(/: keep-alive\n\n/);
  });

  test("a client that does not read for a while gets everything once it reads", async () => {
    const { open, upstream } = await served();
    const client = await open();
    client.stream.socket.pause();
    for (let id = 1; id <= 10; id += 1) await client.request(id, "initialize", INITIALIZE);
    for (let id = 11; id <= 30; id += 1) await client.request(id, "tools/call", call("large", { bytes: 1_000_000 }));
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(0), 10_000);
    client.stream.socket.resume();
    for (let id = 11; id <= 30; id += 1) expect(await client.answer(id)).toMatchObject({ result: {} });
  });

  test("is drained in order: idle streams end at once, others after their answer, late ones with an error", async () => {
    const { open, front, upstream } = await served();
    const [idle, busy, late] = [await open(), await open(), await open()];
    for (const client of [busy, late]) await client.request(1, "initialize", INITIALIZE);
    await busy.request(2, "tools/call", call("slow", { ms: 200 }));
    await late.request(2, "tools/call", call("slow", { ms: 60_000 }));
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(2));
    const drained = front.drain({ deadlineMs: 1_000 });
    await idle.stream.untilClosed();
    expect(await busy.answer(2)).toMatchObject({ result: {} });
    await busy.stream.untilClosed();
    expect(await late.answer(2)).toMatchObject({ error: { code: -31_001, message: "the gateway is shutting down" } });
    await drained;
    await late.stream.untilClosed();
  });
});
