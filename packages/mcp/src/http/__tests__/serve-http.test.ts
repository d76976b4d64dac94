import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import {
  failOnLeaks,
  specAt,
  startFront,
  startGateway,
  startServed,
  startUpstream,
} from "../../__tests__/support/gateway.js";
import { portOf, RawConnection, send } from "../../__tests__/support/http.js";
import { DEFAULT_HTTP_LIMITS } from "../serve-http.js";

failOnLeaks();

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

  test("/readyz is 503 until there is something to serve, and tells a start from a gateway that has lost it", async () => {
    const { url } = await startUpstream({ delayMs: 100 });
    const running = await startGateway([specAt("a", url)]);
    const port = (await startFront(running)).port ?? 0;
    const answers: unknown[] = [];
    const ask = async (): Promise<void> => {
      const { status, text } = await send({ port, path: "/readyz" });
      if (text !== answers.at(-1)) answers.push(text);
      expect(status).toBe(text === '{"status":"ready"}' ? 200 : 503);
    };
    await ask();
    await running.gateway.settled();
    await ask();
    running.source.name([specAt("b", "http://127.0.0.1:1/mcp")]);
    await vi.waitFor(async () => {
      await ask();
      expect(answers).toEqual(['{"status":"starting"}', '{"status":"ready"}', '{"status":"not ready"}']);
    });
  });

  test("/metrics that cannot be collected is 500", async () => {
    const running = await startGateway([]);
    const metrics = { ...running.metrics, exposition: async () => Promise.reject(new Error("no")) };
    const front = await startFront({ ...running, metrics });
    expect((await send({ port: front.port ?? 0, path: "/metrics" })).status).toBe(500);
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
