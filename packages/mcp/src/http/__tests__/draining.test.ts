import { once } from "node:events";
import { Agent, request } from "node:http";
import { systemTimers } from "@cortex-os/mcp-core";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import {
  answerOf,
  askModern,
  failOnLeaks,
  initialize,
  modernRequest,
  rawModern,
  specAt,
  startServed,
  startUpstream,
} from "../../__tests__/support/gateway.js";
import { META } from "@cortex-os/mcp-core/wire";
import { RawConnection, send } from "../../__tests__/support/http.js";
import { serveHttp } from "../serve-http.js";

failOnLeaks();

const MODERN_META = { [META.protocolVersion]: "2026-07-28", [META.clientCapabilities]: {} };

describe("draining", () => {
  const ask = (port: number, agent: Agent, name: string, args: Record<string, number>) => {
    const { headers, body } = modernRequest("tools/call", { name, arguments: args });
    const sending = request({ host: "127.0.0.1", port, method: "POST", path: "/mcp", agent, headers });
    sending.end(body);
    return once(sending, "response").then(async ([response]) => {
      let text = "";
      for await (const chunk of response as AsyncIterable<Buffer>) text += chunk.toString("utf8");
      return text;
    });
  };

  test("requests under way finish on connections that are kept alive, new connections are refused, listeners get their result", async () => {
    const upstream = await startUpstream();
    const { port, front } = await startServed([specAt("a", upstream.url)]);
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => {
      agent.destroy();
    });
    const calling = ask(port, agent, "a__slow", { ms: 400 });
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(1));
    const listener = await RawConnection.open(port);
    listener.write(rawModern("subscriptions/listen", { notifications: {} }));
    await listener.until(/acknowledged/);
    const idle = await RawConnection.open(port);
    const draining = front.drain({ deadlineMs: 2 ** 31 - 1 });
    await listener.until(/"resultType":"complete"/);
    await idle.untilClosed();
    await expect(send({ port, path: "/livez" })).rejects.toThrow("ECONNREFUSED");
    expect(await calling).toContain("took 400 ms");
    await draining;
  });

  test("a legacy call under way finishes too; its session's stream ends", async () => {
    const upstream = await startUpstream();
    const { port, front } = await startServed([specAt("a", upstream.url)]);
    const client = await initialize(port);
    const calling = client.request(1, "tools/call", { name: "a__slow", arguments: { ms: 400 } });
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(1));
    const draining = front.drain({ deadlineMs: 2 ** 31 - 1 });
    expect((await calling).text).toContain("took 400 ms");
    await draining;
  });

  test("a connection that is busy when the drain begins is told to close with its next answer", async () => {
    const upstream = await startUpstream();
    const { port, front } = await startServed([specAt("a", upstream.url)]);
    const connection = await RawConnection.open(port);
    connection.write(rawModern("tools/call", { name: "a__slow", arguments: { ms: 300 } }));
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(1));
    const draining = front.drain({ deadlineMs: 2 ** 31 - 1 });
    connection.write("GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n");
    const text = await connection.untilClosed();
    await draining;
    expect(text).toContain("took 300 ms");
    expect(text).toMatch(/HTTP\/1\.1 503 [\s\S]*connection: close[\s\S]*\{"status":"draining"\}/i);
  });

  test("connections that never sent a request, or not all of its headers, hold nothing up", async () => {
    const { port, front } = await startServed([]);
    const [silent, half] = [await RawConnection.open(port), await RawConnection.open(port)];
    half.write("POST /mcp HTTP/1.1\r\nhost: localh");
    await vi.waitFor(() => expect(half.socket.bytesWritten).toBeGreaterThan(0));
    await front.drain({ deadlineMs: 2 ** 31 - 1 });
    await Promise.all([silent.untilClosed(), half.untilClosed()]);
  });

  test("an answer that is given but not yet read is read to its end", async () => {
    const upstream = await startUpstream({ extraTools: 10_000 });
    const { port, front, gateway } = await startServed([specAt("a", upstream.url)], { lists: { pageSize: 20_000 } });
    const connection = await RawConnection.open(port);
    connection.socket.pause();
    connection.write(rawModern("tools/list"));
    await askModern(port, "server/discover");
    // Closed by the drain's look at its connections: then it has looked at the other one too.
    const idle = await RawConnection.open(port);
    const draining = front.drain({ deadlineMs: 2 ** 31 - 1 });
    await idle.untilClosed();
    connection.socket.resume();
    const text = await connection.untilClosed();
    await draining;
    const body = text.slice(text.indexOf("\r\n\r\n") + 4);
    expect(body.length).toBe(Number(/content-length: (?<length>\d+)/i.exec(text)?.groups?.["length"]));
    expect(JSON.parse(body)).toMatchObject({ id: 1, result: { tools: { length: gateway.tools().length } } });
  });

  test("for a minimum time new connections are still answered, and /readyz says so to whoever asks", async () => {
    const { port, front } = await startServed([]);
    const draining = front.drain({ deadlineMs: 2 ** 31 - 1, minMs: 250 });
    const reply = await send({ port, path: "/readyz" });
    expect([reply.status, reply.text, reply.headers.connection]).toEqual([503, '{"status":"draining"}', "close"]);
    await draining;
    await expect(send({ port, path: "/readyz" })).rejects.toThrow("ECONNREFUSED");
  });

  test("a front that is to go on listening only waits for what is under way", async () => {
    const upstream = await startUpstream();
    const { port, front } = await startServed([specAt("a", upstream.url)]);
    const calling = askModern(port, "tools/call", { name: "a__slow", arguments: { ms: 300 } });
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(1));
    await front.drain({ deadlineMs: 2 ** 31 - 1, keepListening: true });
    expect(upstream.calls.completed).toBe(1);
    expect((await calling).text).toContain("took 300 ms");
    expect((await send({ port, path: "/readyz" })).text).toBe('{"status":"draining"}');
  });

  test("at the deadline calls in flight fail with −31001, their upstream is told, and the log says how many they were", async () => {
    const upstream = await startUpstream();
    const { port, front, logger } = await startServed([specAt("a", upstream.url)]);
    const modern = askModern(port, "tools/call", { name: "a__slow", arguments: { ms: 60_000 } });
    const client = await initialize(port);
    const legacy = client.request(7, "tools/call", { name: "a__slow", arguments: { ms: 60_000 } });
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(2));
    await front.drain({ deadlineMs: 100 });
    const error = { code: -31_001, message: "the gateway is shutting down" };
    expect(answerOf(await modern)).toMatchObject({ id: 1, error });
    expect(answerOf(await legacy)).toMatchObject({ id: 7, error });
    await vi.waitFor(() => expect(upstream.calls).toMatchObject({ cancelled: 2, inFlight: 0 }));
    expect(logger.lines).toContainEqual(
      expect.objectContaining({
        level: "warn",
        fields: { calls: 2 },
        message: "Calls failed because the gateway is shutting down",
      }),
    );
  });

  test("a call whose progress has been passed on hears the same on its stream", async () => {
    const upstream = await startUpstream();
    const { port, front } = await startServed([specAt("a", upstream.url)]);
    const connection = await RawConnection.open(port);
    const params = {
      name: "a__slow",
      arguments: { ms: 60_000, steps: 600 },
      _meta: { ...MODERN_META, progressToken: "p" },
    };
    connection.write(rawModern("tools/call", params));
    await connection.until(/notifications\/progress/);
    await front.drain({ deadlineMs: 0 });
    expect(await connection.untilClosed()).toMatch(
      /\nevent: message\ndata: \{"jsonrpc":"2\.0","id":1,"error":\{"code":-31001,"message":"the gateway is shutting down"\}\}/,
    );
    await vi.waitFor(() => expect(upstream.calls.cancelled).toBe(1));
  });

  test("what is left after the deadline is cut off", async () => {
    const upstream = await startUpstream();
    const { port, front } = await startServed([specAt("a", upstream.url)]);
    const connection = await RawConnection.open(port);
    connection.write(rawModern("tools/call", { name: "a__slow", arguments: { ms: 60_000 } }));
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(1));
    await front.drain({ deadlineMs: 200 });
    await connection.untilClosed();
    await vi.waitFor(() => expect(upstream.calls.cancelled).toBe(1));
  });

  test("an idle front drains at once; closing it afterwards, or twice, is fine", async () => {
    const { front } = await startServed([]);
    await front.drain({ deadlineMs: 60_000 });
    await front.drain({ deadlineMs: 60_000 });
    await front.close();
    await front.close();
  });
});

describe("closing", () => {
  test("cuts everything off and cancels what was under way", async () => {
    const upstream = await startUpstream();
    const { port, front } = await startServed([specAt("a", upstream.url)]);
    const calling = askModern(port, "tools/call", { name: "a__slow", arguments: { ms: 60_000 } });
    calling.catch(() => {});
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(1));
    await front.close();
    await expect(calling).rejects.toMatchObject({ code: "ECONNRESET" });
    await vi.waitFor(() => expect(upstream.calls.cancelled).toBe(1));
  });

  test("several fronts serve one gateway, and one that closes leaves the others", async () => {
    const { gateway, logger, metrics, front, port } = await startServed([]);
    const other = await serveHttp(gateway, {
      listen: { host: "127.0.0.1", port: 0 },
      logger,
      metrics,
      timers: systemTimers,
    });
    await other.close();
    expect((await send({ port, path: "/livez" })).status).toBe(200);
    expect(front.port).toBe(port);
  });
});
