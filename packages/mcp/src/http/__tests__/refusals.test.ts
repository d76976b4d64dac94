import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { answerOf, askModern, failOnLeaks, startServed } from "../../__tests__/support/gateway.js";
import { RawConnection, send, sendRaw } from "../../__tests__/support/http.js";

failOnLeaks();

const HEAD = "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
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
      { jsonrpc: "2.0", error: { code: -32_700, message: "The message is not JSON" } },
    ]);
  });

  test.each([
    ["Mcp-Method: tools/list\r\nmcp-method: tools/list", -32_020],
    ["Mcp-Name: one\r\nMcp-Name: other", -32_020],
    ["Content-Type: application/json\r\nContent-Type: application/json", -31_005],
  ])("a header sent twice is 400; one of MCP's is a header mismatch: %j", async (lines, code) => {
    const { port } = await startServed([]);
    const raw = await sendRaw(port, `POST /mcp HTTP/1.1\r\nhost: localhost\r\n${lines}\r\n\r\n`);
    expect(raw).toMatch(/^HTTP\/1\.1 400 /);
    expect(raw).toContain(`"code":${code}`);
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

  test("the answer to a body that is too large arrives, however much of it is still on its way", async () => {
    const { port } = await startServed([]);
    const body = Buffer.alloc(6_000_000, 0x20);
    for (let round = 0; round < 20; round += 1) {
      const connection = await RawConnection.open(port);
      connection.write(`${HEAD}content-length: ${body.length}\r\n\r\n`);
      connection.socket.write(body);
      expect(await connection.untilClosed()).toMatch(
        /^HTTP\/1\.1 413 [^]*"The body is larger than 4194304 bytes"\}\}$/,
      );
      expect(connection.failure).toBeUndefined();
    }
  });

  test("what is left of a body that is too large is waited for a second and no longer", async () => {
    const time = new ManualTime();
    const { port } = await startServed([], {}, { timers: time });
    const before = time.pending;
    const connection = await RawConnection.open(port);
    connection.write(`${HEAD}content-length: 6000000\r\n\r\nhalf of it`);
    await connection.until(/4194304 bytes"\}\}$/);
    await time.advance(999);
    expect(connection.isClosed).toBe(false);
    await time.advance(1);
    await connection.untilClosed();
    await vi.waitFor(() => expect(time.pending).toBe(before));
  });

  test("a client that goes away before the rest of its body leaves no timer behind", async () => {
    const time = new ManualTime();
    const { port } = await startServed([], {}, { timers: time });
    const before = time.pending;
    const connection = await RawConnection.open(port);
    connection.write(`${HEAD}content-length: 6000000\r\n\r\nhalf of it`);
    await connection.until(/4194304 bytes"\}\}$/);
    // That of the connections, and that of the rest.
    expect(time.pending).toBe(before + 2);
    connection.close();
    await vi.waitFor(() => expect(time.pending).toBe(before));
  });

  test("a body without end is cut off, whatever else is sent", async () => {
    // Time stands still: it is the bytes that count.
    const { port } = await startServed([], {}, { limits: { bodyBytes: 1024 }, timers: new ManualTime() });
    const connection = await RawConnection.open(port);
    connection.write(`${HEAD}transfer-encoding: chunked\r\n\r\n`);
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
