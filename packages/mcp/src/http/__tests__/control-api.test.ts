import { mkdtemp, rm } from "node:fs/promises";
import { request, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { tmpdir } from "node:os";
import path from "node:path";
import { systemTimers } from "@cortex-os/mcp-core";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { failOnLeaks, specAt, startFront, startServed, startUpstream } from "../../__tests__/support/gateway.js";
import { send } from "../../__tests__/support/http.js";
import { serveHttp } from "../serve-http.js";

failOnLeaks();

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A gateway over one real upstream whose control API is on a socket, as the command line finds it. */
async function controlled(limits: { bodyBytes?: number } = {}, onYield?: (untilMs: number) => void) {
  const upstream = await startUpstream();
  const running = await startServed([specAt("a", upstream.url)]);
  const folder = await mkdtemp(path.join(tmpdir(), "cortex-"));
  onTestFinished(async () => rm(folder, { recursive: true }));
  const socketPath = path.join(folder, "gateway.sock");
  const control = await startFront(running, {
    listen: { socketPath },
    controlApi: true,
    limits,
    ...(onYield && { onYield }),
  });
  const begin = (method: string, route: string, body?: string) => {
    const sending = request({ socketPath, method, path: route, headers: { host: "localhost" }, agent: false });
    sending.end(body);
    return sending;
  };
  const ask = async (method: string, route: string, body?: string): Promise<Answer> => {
    const [response] = (await once(begin(method, route, body), "response")) as [IncomingMessage];
    let text = "";
    for await (const chunk of response as AsyncIterable<Buffer>) text += chunk.toString("utf8");
    return { status: response.statusCode ?? 0, body: text === "" ? undefined : JSON.parse(text) };
  };
  return { ...running, upstream, control, socketPath, begin, ask };
}

describe("the control API (R14)", () => {
  test("makes room for a gateway that asks for it, when it is one that does", async () => {
    const onYield = vi.fn<(untilMs: number) => void>();
    const yielding = await controlled({}, onYield);
    expect(await yielding.ask("POST", "/api/v1/yield", '{"untilMs":5}')).toEqual({
      status: 202,
      body: { yielding: true },
    });
    expect((await yielding.ask("POST", "/api/v1/yield")).body).toMatchObject({ error: { code: -32_602 } });
    expect(onYield.mock.calls).toEqual([[5]]);
    const { ask } = await controlled();
    expect(await ask("POST", "/api/v1/yield")).toMatchObject({
      status: 400,
      body: { code: "USER_INPUT", error: { message: expect.stringContaining("makes no room for another one") } },
    });
    expect((await ask("GET", "/api/v1/yield")).status).toBe(405);
  });

  test("tells the status", async () => {
    const { ask, gateway } = await controlled();
    const { status, body } = await ask("GET", "/api/v1/status");
    expect(status).toBe(200);
    expect(body).toEqual(JSON.parse(JSON.stringify(gateway.status())));
    expect(body).toMatchObject({
      version: "1.2.3",
      connectors: [{ key: "a", source: "registry", state: "up", era: "modern" }],
    });
  });

  test("lists tools under both their names", async () => {
    const { ask } = await controlled();
    const { body } = (await ask("GET", "/api/v1/tools")) as { body: { tools: unknown[] } };
    expect(body.tools).toContainEqual({
      name: "a__echo",
      connector: "a",
      tool: "echo",
      definition: expect.objectContaining({ name: "a__echo" }),
    });
  });

  test("calls a tool, also without arguments, and gives its result", async () => {
    const { ask } = await controlled();
    const called = await ask("POST", "/api/v1/call", JSON.stringify({ name: "a__echo", arguments: { message: "hi" } }));
    expect([called.status, JSON.stringify(called.body)]).toEqual([200, expect.stringContaining("hi")]);
    const without = await ask("POST", "/api/v1/call", JSON.stringify({ name: "a__echo" }));
    expect(without).toMatchObject({ status: 200, body: { isError: true } });
  });

  test.each([
    ["nope", -32_700, "The body is not JSON"],
    ["[]", -32_602, "The body must be a JSON object"],
    ["", -32_602, "name must be the name of a tool"],
    ["{}", -32_602, "name must be the name of a tool"],
    ['{"name":"a__echo","arguments":[]}', -32_602, "arguments must be an object"],
    ['{"name":"nope"}', -32_602, 'Unknown tool: "nope"'],
  ])("answers the call %s with an error", async (body, code, message) => {
    const { ask } = await controlled();
    expect(await ask("POST", "/api/v1/call", body)).toEqual({ status: 400, body: { error: { code, message } } });
  });

  test("refuses a call that is too large", async () => {
    const { ask } = await controlled({ bodyBytes: 100 });
    expect(await ask("POST", "/api/v1/call", JSON.stringify({ name: "x".repeat(200) }))).toEqual({
      status: 413,
      body: { error: { code: -32_602, message: "The body is too-large" } },
    });
  });

  test("cancels the call of a command line that was interrupted", async () => {
    const { begin, upstream, logger } = await controlled();
    const sending = begin("POST", "/api/v1/call", JSON.stringify({ name: "a__slow", arguments: { ms: 60_000 } }));
    sending.on("error", () => {});
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(1));
    sending.destroy();
    await vi.waitFor(() => expect(upstream.calls).toMatchObject({ cancelled: 1, inFlight: 0 }));
    await vi.waitFor(() => expect(logger.messages("debug")).toContain("A control request failed"));
  });

  test("a command line that breaks off in its body costs nothing", async () => {
    const { begin, ask } = await controlled();
    const sending = begin("POST", "/api/v1/call");
    sending.on("error", () => {});
    const { socketPath } = await controlled();
    const broken = request({
      socketPath,
      method: "POST",
      path: "/api/v1/call",
      headers: { host: "localhost", "content-length": 50 },
    });
    broken.on("error", () => {});
    broken.write("{");
    await once(broken, "socket");
    broken.destroy();
    expect((await ask("GET", "/api/v1/status")).status).toBe(200);
  });

  test("reloads everything and tells what came of it", async () => {
    const { ask, source } = await controlled();
    const before = source.reloads;
    expect(await ask("POST", "/api/v1/reload")).toMatchObject({
      status: 200,
      body: {
        configuration: { changed: [], needRestart: [] },
        connectors: { added: [], removed: [], changed: [] },
        problems: [],
      },
    });
    expect(source.reloads).toBe(before + 1);
  });

  test("reloads one source when it says which, and gives the status after that", async () => {
    const { ask, source } = await controlled();
    const before = source.reloads;
    const asked = await ask("POST", "/api/v1/reload", '{"source": "map"}');
    expect(asked).toMatchObject({ status: 200, body: { version: "1.2.3" } });
    expect(source.reloads).toBe(before);
    await ask("POST", "/api/v1/reload", '{"source": "registry"}');
    expect(source.reloads).toBe(before + 1);
    expect(await ask("POST", "/api/v1/reload", '{"source": "moon"}')).toEqual({
      status: 400,
      body: { error: { code: -32_602, message: "source must be registry or map" } },
    });
  });

  test.each([
    ["POST", "/api/v1/status", "GET, HEAD"],
    ["POST", "/api/v1/tools", "GET, HEAD"],
    ["GET", "/api/v1/reload", "POST"],
    ["GET", "/api/v1/call", "POST"],
  ])("%s %s is 405", async (method, route) => {
    const { ask } = await controlled();
    expect((await ask(method, route)).status).toBe(405);
  });

  test("a call that is under way when the gateway ends fails with the reason, and is cancelled at the upstream", async () => {
    const { ask, control, upstream } = await controlled();
    const calling = ask("POST", "/api/v1/call", '{"name":"a__slow","arguments":{"ms":60000}}');
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(1));
    await control.drain({ deadlineMs: 50, keepListening: true });
    expect((await calling).body).toEqual({ error: { code: -31_001, message: "the gateway is shutting down" } });
    await vi.waitFor(() => expect(upstream.calls).toMatchObject({ cancelled: 1, inFlight: 0 }));
    expect((await ask("GET", "/api/v1/status")).status).toBe(200);
  });

  test("is not on a front that was not asked to serve it", async () => {
    const { port } = await startServed([]);
    for (const route of ["/api/v1/status", "/api/v1/tools", "/api/v1/reload", "/api/v1/call"]) {
      expect((await send({ port, path: route })).status).toBe(404);
    }
  });

  test("a reload that fails says nothing of what went wrong inside", async () => {
    const { gateway, logger, metrics } = await startServed([]);
    gateway.reloadAll = async () => Promise.reject(new Error("/secret/path"));
    const front = await serveHttp(gateway, {
      listen: { host: "127.0.0.1", port: 0 },
      controlApi: true,
      logger,
      metrics,
      timers: systemTimers,
    });
    onTestFinished(async () => front.close());
    const reply = await send({ port: front.port ?? 0, method: "POST", path: "/api/v1/reload" });
    expect([reply.status, JSON.parse(reply.text)]).toEqual([
      400,
      { error: { code: -32_603, message: "Internal error" } },
    ]);
  });
});
