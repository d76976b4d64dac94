import { systemTimers, type Timers } from "@cortex-os/mcp-core";
import { ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { Agent } from "undici";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { json, upstream, type Script, type Seen } from "../../http/__tests__/scripted-upstream.js";
import { RemoteProxy } from "../remote-proxy.js";
import { called, echo, proxyTo, stopped } from "./proxy-to.js";

describe("disposing of a RemoteProxy (R8)", () => {
  test("releases everything, twice and in any state, and refuses from then on", async () => {
    const time = new ManualTime();
    const server = await upstream(echo);
    const { proxy, availability } = proxyTo(server.url, { time });
    await proxy.connect();
    await Promise.all([proxy.dispose(), proxy.disconnect()]);
    await proxy.dispose();
    expect(proxy.state).toEqual({ kind: "disposed" });
    await vi.waitFor(async () => expect(await server.open()).toBe(0));
    expect(time.pending).toBe(0);
    expect((await called(proxy)).error?.message).toContain("is being closed");
    await expect(proxy.connect()).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    await expect(proxy.list("tools")).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    expect(availability).toEqual([[true]]);
    await proxyTo(server.url).proxy.dispose();
  });

  test("while it connects: the attempt ends, nothing is tried again, nobody is told", async () => {
    const time = new ManualTime();
    const server = await upstream(() => {});
    const { proxy, availability } = proxyTo(server.url, { time });
    const connecting = expect(proxy.connect()).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    const waiting = called(proxy);
    await vi.waitFor(() => expect(server.seen).toHaveLength(1));
    await proxy.dispose();
    await connecting;
    expect((await waiting).error?.message).toContain("is being closed");
    expect(availability).toEqual([]);
    expect(time.pending).toBe(0);
    await vi.waitFor(() => expect(server.seen[0]?.aborted).toBe(true));
  });

  test("while it is down: no further attempt", async () => {
    const time = new ManualTime();
    const server = await stopped(echo);
    const { proxy } = proxyTo(server.url, { time });
    await proxy.connect().catch(() => {});
    await proxy.dispose();
    expect(time.pending).toBe(0);
  });

  test("leaves an injected agent open", async () => {
    const server = await upstream(echo);
    const agent = new Agent();
    onTestFinished(() => agent.close());
    const { proxy } = proxyTo(server.url, { agent });
    await proxy.connect();
    await proxy.dispose();
    expect(agent.destroyed || agent.closed).toBe(false);
    expect(Object.keys(agent.stats)).toHaveLength(1);
  });
});

describe("the plan's short form (R8)", () => {
  test("needs no more than an id, an address and a logger, and forwards raw exchanges", async () => {
    const server = await upstream((seen, res) =>
      json(res, 418, { method: seen.http, got: seen.body }, { "x-many": "1" }),
    );
    const logger = new RecordingLogger();
    const proxy = new RemoteProxy({ connectorId: "plan", url: server.url, logger, headers: { "x-key": "k" } });
    onTestFinished(() => proxy.dispose());
    const posted = await proxy.forward({ body: '{"a":1}' });
    expect(posted).toMatchObject({ status: 418, headers: { "x-many": "1" } });
    expect(JSON.parse(posted.body)).toEqual({ method: "POST", got: '{"a":1}' });
    expect(server.seen[0]?.headers).toMatchObject({
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "x-key": "k",
    });
    expect(logger.lines.at(-1)).toEqual({
      level: "debug",
      message: "Forwarded remote MCP request",
      fields: { brand: "brAInwav", connectorId: "plan", durationMs: expect.any(Number) as number },
    });
    await proxy.forward({ method: "GET", headers: { Accept: "text/plain" } });
    await proxy.forward({ method: "DELETE" });
    await proxy.forward({ headers: { Accept: "text/plain" }, body: "{}" });
    const seen = server.seen.slice(1).map(({ http, headers }: Seen) => [http, headers.accept, headers["content-type"]]);
    expect(seen).toEqual([
      ["GET", "text/plain", undefined],
      ["DELETE", undefined, undefined],
      ["POST", "text/plain", "application/json"],
    ]);
  });

  test("a raw exchange is bounded in time and size, and ends with the proxy", async () => {
    const timers: Timers & { fire?: () => void } = {
      after(delayMs, task) {
        if (delayMs === 300_000) this.fire = task;
        return systemTimers.after(delayMs, task);
      },
    };
    let answer: Script = () => {};
    const server = await upstream((seen, res) => answer(seen, res));
    const proxy = new RemoteProxy({ connectorId: "plan", url: server.url, logger: new RecordingLogger(), timers });
    onTestFinished(() => proxy.dispose());
    const late = expect(proxy.forward({ method: "GET" })).rejects.toMatchObject({ code: "UPSTREAM_TIMEOUT" });
    timers.fire?.();
    await late;
    answer = (_, res) => {
      res.writeHead(200);
      const chunk = Buffer.alloc(1024 * 1024);
      const pump = (): void => {
        while (res.write(chunk));
        res.once("drain", pump);
      };
      pump();
    };
    await expect(proxy.forward({ method: "GET" })).rejects.toMatchObject({ code: "UPSTREAM_LIMIT" });
    answer = () => {};
    const open = expect(proxy.forward({ method: "GET" })).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    await vi.waitFor(() => expect(server.seen.length).toBeGreaterThanOrEqual(2));
    await proxy.dispose();
    await open;
  });
});
