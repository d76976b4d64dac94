import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { createServer, Agent, request, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import {
  answerOf,
  askModern,
  failOnLeaks,
  modernRequest,
  specAt,
  startFront,
  startGateway,
  startServed,
  startUpstream,
} from "../../__tests__/support/gateway.js";
import { portOf, RawConnection, send, sendRaw } from "../../__tests__/support/http.js";
import { systemTimers } from "@cortex-os/mcp-core";
import { DEFAULT_HTTP_LIMITS, serveHttp } from "../serve-http.js";

failOnLeaks();

const JSON_TYPE = { "content-type": "application/json" };

describe("what is refused before it reaches a connector", () => {
  test.each([[undefined], ["text/plain"], ["application/jsonp"], ["application/json-rpc"], ["multipart/form-data"]])(
    "the content type %s is 415",
    async (type) => {
      const { port } = await startServed([]);
      const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
      const reply = await send({ port, method: "POST", path: "/mcp", headers, body: "{}" });
      expect([reply.status, answerOf(reply)]).toEqual([
        415,
        { jsonrpc: "2.0", error: { code: -32_600, message: "Content-Type must be application/json" } },
      ]);
    },
  );

  test.each([
    "application/json",
    "Application/JSON",
    "application/json;charset=utf-8",
    "application/json ; charset=utf-8",
  ])("the content type %s is read", async (type) => {
    const { port } = await startServed([]);
    const reply = await send({ port, method: "POST", path: "/mcp", headers: { "content-type": type }, body: "nope" });
    expect([reply.status, answerOf(reply)]).toEqual([
      400,
      { jsonrpc: "2.0", error: { code: -32_700, message: "The body is not JSON" } },
    ]);
  });

  test("a message that is none is 400, with its id when that could be read; it is counted", async () => {
    const { port, metrics } = await startServed([]);
    const reply = await send({ port, method: "POST", path: "/mcp", headers: JSON_TYPE, body: '{"id":5,"method":"x"}' });
    expect([reply.status, answerOf(reply)]).toEqual([
      400,
      { jsonrpc: "2.0", id: 5, error: { code: -32_600, message: 'Invalid request: jsonrpc must be "2.0"' } },
    ]);
    expect(await metrics.exposition()).toContain('brainwav_mcp_rejected_requests_total{reason="body"} 1');
  });

  test.each([
    ["that says so", { "content-length": "70000" }],
    ["that does not say so", { "transfer-encoding": "chunked" }],
  ])("a body that is too large %s is 413 and the connection ends", async (_what, framing) => {
    const { port } = await startServed([], {}, { limits: { bodyBytes: 64 * 1024 } });
    const sending = request({
      port,
      host: "127.0.0.1",
      method: "POST",
      path: "/mcp",
      agent: false,
      headers: { ...JSON_TYPE, ...framing },
    });
    sending.on("error", () => {});
    sending.end("x".repeat(70_000));
    const [response] = (await once(sending, "response")) as [IncomingMessage];
    let text = "";
    response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    await once(response, "close");
    expect([response.statusCode, response.headers.connection]).toEqual([413, "close"]);
    expect(JSON.parse(text)).toEqual({
      jsonrpc: "2.0",
      error: { code: -32_600, message: "The body is larger than 65536 bytes" },
    });
  });

  test("a body without end is cut off, whatever else is sent", async () => {
    const { port } = await startServed([], {}, { limits: { bodyBytes: 1024 } });
    const connection = await RawConnection.open(port);
    connection.write(
      "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
    );
    const chunk = `1000\r\n${"x".repeat(4096)}\r\n`;
    const pump = (): void => {
      while (!connection.isClosed && connection.socket.write(chunk));
    };
    connection.socket.on("drain", pump);
    pump();
    await connection.untilClosed();
  });

  test("a client that breaks off in its body costs nothing but its connection", async () => {
    const { port, metrics } = await startServed([]);
    const connection = await RawConnection.open(port);
    connection.write(
      "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\nabc",
    );
    await vi.waitFor(() => expect(connection.socket.bytesWritten).toBeGreaterThan(90));
    connection.socket.end();
    await connection.untilClosed();
    await vi.waitFor(async () =>
      expect(await metrics.exposition()).toContain('brainwav_mcp_rejected_requests_total{reason="body"} 1'),
    );
    expect((await askModern(port, "server/discover")).status).toBe(200);
  });

  test.each(["/mcp", "/livez", "/readyz", "/metrics", "/api/v1/status", "/nowhere"])(
    "on %s a foreign Host or Origin is 403, each by itself, before anything else (threat 1)",
    async (route) => {
      const { port, metrics } = await startServed([], {}, { controlApi: true });
      const host = await send({ port, path: route, headers: { host: "evil.example" } });
      const origin = await send({ port, path: route, headers: { origin: "https://evil.example" } });
      for (const [reply, name] of [
        [host, "Host"],
        [origin, "Origin"],
      ] as const) {
        expect([reply.status, reply.headers.connection]).toEqual([403, "close"]);
        expect(answerOf(reply)).toEqual({
          jsonrpc: "2.0",
          error: { code: -31_005, message: expect.stringContaining(`The ${name} header`) },
        });
      }
      const text = await metrics.exposition();
      expect(text).toContain('brainwav_mcp_rejected_requests_total{reason="host"} 1');
      expect(text).toContain('brainwav_mcp_rejected_requests_total{reason="origin"} 1');
    },
  );

  test("hosts and origins can be allowed, hosts in any case", async () => {
    const { port } = await startServed(
      [],
      {},
      { allowedHosts: ["Gateway.Example"], allowedOrigins: ["https://app.example"] },
    );
    const headers = { host: "gateway.example:443", origin: "https://app.example" };
    expect((await send({ port, path: "/livez", headers })).status).toBe(200);
  });

  test.each(["PUT", "PATCH", "HEAD", "OPTIONS"])("%s on /mcp is 405", async (method) => {
    const { port } = await startServed([]);
    const reply = await send({ port, method, path: "/mcp" });
    expect([reply.status, reply.headers.allow]).toEqual([405, "GET, POST, DELETE"]);
  });

  test.each(["/", "/mcp/", "/MCP", "/mcp/../mcp", "/%6dcp", "//mcp", "/constructor", "/__proto__", "/api/v1/status"])(
    "%s is 404",
    async (route) => {
      const { port } = await startServed([]);
      expect(
        (await sendRaw(port, `GET ${route} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)).slice(0, 12),
      ).toBe("HTTP/1.1 404");
    },
  );

  test("a query changes no route", async () => {
    const { port } = await startServed([]);
    expect((await send({ port, path: "/livez?x=1" })).status).toBe(200);
  });

  test("headers larger than 16 KiB are refused", async () => {
    const { port } = await startServed([]);
    const reply = await sendRaw(
      port,
      `GET /livez HTTP/1.1\r\nhost: localhost\r\nx-large: ${"x".repeat(17 * 1024)}\r\n\r\n`,
    );
    expect(reply).toMatch(/^HTTP\/1\.1 431 /);
  });
});

describe("operators' routes (R15)", () => {
  test("/livez, /readyz and /metrics answer GET and HEAD, and nothing else", async () => {
    const { port } = await startServed([]);
    const alive = await send({ port, path: "/livez" });
    expect([alive.status, alive.text]).toEqual([200, '{"status":"alive"}']);
    const readiness = await send({ port, path: "/readyz" });
    expect([readiness.status, readiness.text]).toEqual([200, '{"status":"ready"}']);
    const metrics = await send({ port, path: "/metrics" });
    expect(metrics.headers["content-type"]).toContain("text/plain; version=0.0.4");
    expect(metrics.text).toContain("brainwav_mcp_client_sessions 0");
    const head = await send({ port, method: "HEAD", path: "/livez" });
    expect([head.status, head.text]).toEqual([200, ""]);
    for (const route of ["/livez", "/readyz", "/metrics"]) {
      const reply = await send({ port, method: "POST", path: route });
      expect([reply.status, reply.headers.allow]).toEqual([405, "GET, HEAD"]);
    }
  });

  test("/readyz is 503 until there is something to serve", async () => {
    const running = await startGateway([specAt("a", "http://127.0.0.1:1/mcp")]);
    const front = await startFront(running);
    await running.gateway.settled();
    const reply = await send({ port: front.port ?? 0, path: "/readyz" });
    expect([reply.status, reply.text]).toEqual([503, '{"status":"starting"}']);
  });

  test("/metrics that cannot be collected is 500", async () => {
    const running = await startGateway([]);
    const metrics = { ...running.metrics, exposition: async () => Promise.reject(new Error("no")) };
    const front = await startFront({ ...running, metrics });
    expect((await send({ port: front.port ?? 0, path: "/metrics" })).status).toBe(500);
  });
});

describe("slow connections (reliability.md, threat 25)", () => {
  test("of 100 whose headers trickle all are closed, and a good request is served meanwhile", async () => {
    const { port } = await startServed([], {}, { limits: { headersMs: 1_000, requestMs: 2_000 } });
    const slow = await Promise.all(Array.from({ length: 100 }, async () => RawConnection.open(port)));
    for (const connection of slow) connection.write("POST /mcp HTTP/1.1\r\nhost: localhost\r\n");
    let trickled = 0;
    const trickle = setInterval(() => {
      trickled += 1;
      for (const connection of slow) if (!connection.isClosed) connection.write(`x-${trickled}: y\r\n`);
    }, 100);
    onTestFinished(() => {
      clearInterval(trickle);
    });
    expect((await send({ port, path: "/livez" })).status).toBe(200);
    const answers = await Promise.all(slow.map(async (connection) => connection.untilClosed()));
    expect(trickled).toBeGreaterThan(0);
    expect(answers.filter((answer) => answer !== "" && !answer.startsWith("HTTP/1.1 408 "))).toEqual([]);
  });

  test("one whose body trickles is closed too", async () => {
    const { port } = await startServed([], {}, { limits: { headersMs: 500, requestMs: 1_000 } });
    const connection = await RawConnection.open(port);
    connection.write(
      "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
    );
    const trickle = setInterval(() => {
      if (!connection.isClosed) connection.write(" ");
    }, 100);
    onTestFinished(() => {
      clearInterval(trickle);
    });
    await connection.untilClosed();
  });

  test("more connections than allowed are not accepted", async () => {
    const { port } = await startServed([], {}, { limits: { connections: 2 } });
    const [first, second] = [await RawConnection.open(port), await RawConnection.open(port)];
    for (const connection of [first, second]) {
      connection.write("GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n");
      await connection.until(/alive/);
    }
    const third = await RawConnection.open(port);
    expect(await third.untilClosed()).toBe("");
    for (const connection of [first, second]) connection.close();
  });
});

describe("listening", () => {
  test("the url is where MCP clients connect", async () => {
    const { front } = await startServed([]);
    expect(front.url).toBe(`http://127.0.0.1:${String(front.port)}/mcp`);
    const six = await startFront(await startGateway([]), { listen: { host: "::1", port: 0 } });
    expect(six.url).toBe(`http://[::1]:${String(six.port)}/mcp`);
  });

  test("a taken port, a foreign address and an unknown host are one line each that says what to do", async () => {
    const running = await startGateway([]);
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    onTestFinished(() => {
      taken.close();
    });
    const port = portOf(taken);
    const listening = async (host: string, at: number) => startFront(running, { listen: { host, port: at } });
    await expect(listening("127.0.0.1", port)).rejects.toMatchObject({
      code: "USER_INPUT",
      message: `Cannot listen on 127.0.0.1:${port}: it is taken; stop what uses it or choose another with --port`,
    });
    await expect(listening("192.0.2.1", 0)).rejects.toMatchObject({
      message: "Cannot listen on 192.0.2.1:0: this machine has no such address; choose another with --host",
    });
    await expect(listening("no-such-host.invalid", 0)).rejects.toMatchObject({ code: "USER_INPUT" });
  });

  test("a socket is for its owner only, and has a path for its url", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "cortex-"));
    onTestFinished(async () => rm(folder, { recursive: true }));
    const socketPath = path.join(folder, "gateway.sock");
    const front = await startFront(await startGateway([]), { listen: { socketPath } });
    expect([front.url, front.port]).toEqual([socketPath, undefined]);
    expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
    const connection = await RawConnection.open(socketPath);
    connection.write("GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await connection.until(/alive/);
    connection.close();
  });

  test("a socket in a folder that does not exist is the user's to mend", async () => {
    const running = await startGateway([]);
    const socketPath = path.join(tmpdir(), "cortex-no-such-folder", "gateway.sock");
    await expect(startFront(running, { listen: { socketPath } })).rejects.toMatchObject({
      code: "USER_INPUT",
      message: expect.stringContaining(`Cannot listen on the socket ${socketPath}`),
    });
  });

  test("an error of the server once it listens is logged, and it goes on", async () => {
    const running = await startGateway([]);
    const front = await startFront(running, { limits: { connections: 5 } });
    expect((await send({ port: front.port ?? 0, path: "/livez" })).status).toBe(200);
  });

  test("the limits' defaults are pinned", () => {
    expect(DEFAULT_HTTP_LIMITS).toEqual({
      bodyBytes: 4_194_304,
      headersMs: 5_000,
      requestMs: 30_000,
      connections: 10_000,
      slowReaderMs: 30_000,
    });
  });
});

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
    const { headers, body } = modernRequest("subscriptions/listen", { notifications: {} });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    listener.write(
      ["POST /mcp HTTP/1.1", "host: localhost", ...lines, `content-length: ${body.length}`, "", body].join("\r\n"),
    );
    await listener.until(/acknowledged/);
    const idle = await RawConnection.open(port);
    const draining = front.drain(10_000);
    await listener.until(/"resultType":"complete"/);
    await idle.untilClosed();
    await expect(send({ port, path: "/livez" })).rejects.toThrow("ECONNREFUSED");
    expect(await calling).toContain("took 400 ms");
    await draining;
  });

  test("a legacy call under way finishes too; its session's stream ends", async () => {
    const { initialize } = await import("../../__tests__/support/gateway.js");
    const upstream = await startUpstream();
    const { port, front } = await startServed([specAt("a", upstream.url)]);
    const client = await initialize(port);
    const calling = client.request(1, "tools/call", { name: "a__slow", arguments: { ms: 400 } });
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(1));
    const draining = front.drain(10_000);
    expect((await calling).text).toContain("took 400 ms");
    await draining;
  });

  test("a connection that is busy when the drain begins is told to close with its next answer", async () => {
    const upstream = await startUpstream();
    const { port, front } = await startServed([specAt("a", upstream.url)]);
    const connection = await RawConnection.open(port);
    const { headers, body } = modernRequest("tools/call", { name: "a__slow", arguments: { ms: 300 } });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    connection.write(
      ["POST /mcp HTTP/1.1", "host: localhost", ...lines, `content-length: ${body.length}`, "", body].join("\r\n"),
    );
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(1));
    const draining = front.drain(10_000);
    connection.write("GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n");
    const text = await connection.untilClosed();
    await draining;
    expect(text).toContain("took 300 ms");
    expect(text).toMatch(/HTTP\/1\.1 503 [\s\S]*connection: close[\s\S]*\{"status":"draining"\}/i);
  });

  test("what is left after the deadline is cut off", async () => {
    const upstream = await startUpstream();
    const { port, front } = await startServed([specAt("a", upstream.url)]);
    const connection = await RawConnection.open(port);
    const { headers, body } = modernRequest("tools/call", { name: "a__slow", arguments: { ms: 60_000 } });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    connection.write(
      ["POST /mcp HTTP/1.1", "host: localhost", ...lines, `content-length: ${body.length}`, "", body].join("\r\n"),
    );
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(1));
    await front.drain(200);
    await connection.untilClosed();
    await vi.waitFor(() => expect(upstream.calls.cancelled).toBe(1));
  });

  test("an idle front drains at once; closing it afterwards, or twice, is fine", async () => {
    const { front } = await startServed([]);
    await front.drain(60_000);
    await front.drain(60_000);
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
    await expect(calling).rejects.toThrow();
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
