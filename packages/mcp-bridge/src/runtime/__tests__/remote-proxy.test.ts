import { stdioMainPath } from "@cortex-os/fixture-server";
import { fixedRandom, ManualTime } from "@cortex-os/mcp-core/testing";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { Agent } from "undici";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { ByteBudget } from "../../byte-budget.js";
import { LEGACY_CALLER, MODERN_CALLER, specFor, toolCall } from "../../http/__tests__/open-link.js";
import { RecordingSink } from "../../http/__tests__/recording-sink.js";
import {
  DISCOVERED,
  json,
  legacy,
  modern,
  openStream,
  result,
  upstream,
} from "../../http/__tests__/scripted-upstream.js";
import { called, echo, proxyTo, stopped } from "./proxy-to.js";

const GRANTED: JsonObject = {
  jsonrpc: "2.0",
  method: "notifications/subscriptions/acknowledged",
  params: { notifications: { toolsListChanged: true } },
};

describe("RemoteProxy (R8)", () => {
  test("connects, says so once, and forwards", async () => {
    const server = await upstream(echo);
    const { proxy, availability } = proxyTo(server.url);
    expect(proxy.state).toEqual({ kind: "idle" });
    expect(proxy.facts).toBeUndefined();
    await Promise.all([proxy.connect(), proxy.connect()]);
    await proxy.connect();
    expect(proxy.state).toMatchObject({ kind: "up", facts: { era: "modern" } });
    expect(proxy.facts?.era).toBe("modern");
    expect(availability).toEqual([[true]]);
    expect((await called(proxy)).body).toMatchObject({ id: 7, result: { isError: false } });
    expect(server.of("server/discover")).toHaveLength(1);
  });

  test("before the first connection a call waits for it, and a cancelled one is forgotten", async () => {
    const server = await upstream(echo);
    const { proxy } = proxyTo(server.url);
    const forgotten = new RecordingSink();
    const exchange = proxy.send(toolCall(MODERN_CALLER, 1), forgotten);
    exchange.cancel();
    exchange.resume();
    expect(proxy.state.kind).toBe("connecting");
    expect((await called(proxy)).endings).toEqual(["end"]);
    expect(server.of("tools/call")).toHaveLength(1);
    expect(forgotten.endings).toEqual([]);
  });

  test("a call that waited can be cancelled once it is under way", async () => {
    const server = await upstream(modern((_, res) => void openStream(res)));
    const { proxy } = proxyTo(server.url);
    const sink = new RecordingSink();
    const exchange = proxy.send(toolCall(MODERN_CALLER), sink);
    await vi.waitFor(() => expect(sink.status).toBe(200));
    exchange.resume();
    exchange.cancel();
    await vi.waitFor(() => expect(server.of("tools/call")[0]?.aborted).toBe(true));
  });

  test("a first connection that fails rejects, fails the calls that wait, and goes on in the background", async () => {
    const time = new ManualTime();
    const server = await stopped(echo);
    const { proxy, availability } = proxyTo(server.url, { time });
    const waiting = called(proxy);
    const late = new RecordingSink();
    proxy.send(toolCall(MODERN_CALLER), late).cancel();
    await expect(proxy.connect()).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    const reason = 'Connector "up" cannot be reached: connection refused';
    expect((await waiting).error?.message).toBe(`${reason}; it is being tried again`);
    expect(late.endings).toEqual([]);
    expect(proxy.state).toMatchObject({ kind: "down", attempt: 0, retryAt: time.now() + 100 });
    expect(availability).toEqual([[false, reason]]);
    expect(proxy.facts).toBeUndefined();
    await server.start();
    await time.advance(100);
    await vi.waitFor(() => expect(proxy.state.kind).toBe("up"));
    expect(availability).toEqual([[false, reason], [true]]);
  });

  test("delays grow with full jitter to at most 30 s, and a new reason is told", async () => {
    const time = new ManualTime();
    const server = await stopped((_, res) => void res.writeHead(401).end());
    const { proxy, availability } = proxyTo(server.url, { time });
    await proxy.connect().catch(() => {});
    const seen: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      const [delayMs = 0] = time.delays;
      seen.push(delayMs);
      await time.advance(delayMs);
      await vi.waitFor(() => expect(proxy.state).toMatchObject({ kind: "down", attempt: round + 1 }));
    }
    expect(seen).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000]);
    await server.start();
    await time.advance(15_000);
    await vi.waitFor(() => expect(availability).toHaveLength(2));
    expect(availability[1]?.[1]).toContain("needs credentials");
  });

  test("an upstream that goes fails calls at once; one that is back is called again at once (reconnect)", async () => {
    const time = new ManualTime();
    const server = await upstream(echo);
    const { proxy, availability } = proxyTo(server.url, { time });
    await proxy.connect();
    await time.advance(10_000);
    await server.stop();
    await vi.waitFor(async () => expect((await called(proxy)).error?.message).toMatch(/refused/));
    expect(proxy.state.kind).toBe("down");
    expect(availability.at(-1)).toEqual([false, 'Connector "up" cannot be reached: connection refused']);
    expect(proxy.facts?.era).toBe("modern");
    await expect(proxy.list("tools")).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    await server.start();
    // No time passes: the call that meets a connector that is down makes it look, and fails itself.
    await time.advance(99);
    expect((await called(proxy)).error?.code).toBe("UPSTREAM_UNAVAILABLE");
    await vi.waitFor(() => expect(proxy.state.kind).toBe("up"));
    expect((await called(proxy)).endings).toEqual(["end"]);
  });

  test("calls to a dead upstream look for it at most ten times a second", async () => {
    const time = new ManualTime();
    const server = await stopped(echo);
    const agent = new Agent();
    onTestFinished(() => agent.close());
    const looks = vi.spyOn(agent, "dispatch");
    const { proxy } = proxyTo(server.url, { time, agent, random: fixedRandom(1) });
    await proxy.connect().catch(() => {});
    const burst = async () => Promise.all(Array.from({ length: 20 }, () => called(proxy)));
    await burst();
    await time.advance(99);
    await burst();
    expect(looks).toHaveBeenCalledTimes(1);
    await time.advance(1);
    await burst();
    expect(looks).toHaveBeenCalledTimes(2);
    await vi.waitFor(() => expect(proxy.state).toMatchObject({ kind: "down", attempt: 1 }));
    await burst();
    expect(looks).toHaveBeenCalledTimes(2);
  });

  test("an upstream that restarts and forgot its sessions is called again without a new client", async () => {
    const sessions = new Set<string>();
    const script = legacy((seen, res) => json(res, 200, result(seen, { content: [] })), { sessions });
    const server = await upstream(script);
    const { proxy } = proxyTo(server.url);
    await proxy.connect();
    expect((await called(proxy, LEGACY_CALLER)).endings).toEqual(["end"]);
    await server.stop();
    sessions.clear();
    await server.start();
    await vi.waitFor(async () => expect((await called(proxy, LEGACY_CALLER)).endings).toEqual(["end"]), {
      interval: 20,
    });
  });

  test("says whether changes of the tools would be heard of: not before it is up, nor from an upstream that offers no stream", async () => {
    const capabilities = { tools: { listChanged: true } };
    const hears = await upstream(modern((_, res) => openStream(res)(GRANTED), { ...DISCOVERED, capabilities }));
    const deaf = await upstream(modern((_, res) => void res.writeHead(405).end(), { ...DISCOVERED, capabilities }));
    const [one, other] = [proxyTo(hears.url), proxyTo(deaf.url)];
    expect(one.proxy.hearsChanges).toBe(false);
    await Promise.all([one.proxy.connect(), other.proxy.connect()]);
    await vi.waitFor(() => expect(one.proxy.hearsChanges).toBe(true));
    await vi.waitFor(() => expect(deaf.methods).toContain("subscriptions/listen"));
    expect(other.proxy.hearsChanges).toBe(false);
    await one.proxy.dispose();
    expect(one.proxy.hearsChanges).toBe(false);
  });

  test("what is held for unfinished answers counts against the budget of all upstreams", async () => {
    const server = await upstream(
      modern((seen, res) => json(res, 200, result(seen, { resultType: "complete", text: "x".repeat(2_000) }))),
    );
    const budget = new ByteBudget(1_000);
    const { proxy } = proxyTo(server.url, { budget });
    expect((await called(proxy, LEGACY_CALLER)).error?.message).toContain("1000 bytes for all answers together");
    expect(budget.held).toBe(0);
  });

  test("calls in flight outlive a lost connection; disposing ends them", async () => {
    const finish: (() => void)[] = [];
    const server = await upstream(
      modern((seen, res) => {
        const send = openStream(res);
        finish.push(() => {
          send(result(seen, { resultType: "complete" }));
          res.end();
        });
      }),
    );
    const { proxy } = proxyTo(server.url);
    await proxy.connect();
    const sinks = [1, 2].map((id) => {
      const sink = new RecordingSink();
      proxy.send(toolCall(MODERN_CALLER, id), sink);
      return sink;
    });
    await vi.waitFor(() => expect(sinks.map((sink) => sink.status)).toEqual([200, 200]));
    // As a server that drains: nobody new gets in.
    server.refuse();
    await vi.waitFor(async () => expect((await called(proxy)).error?.message).toMatch(/refused/));
    expect(proxy.state.kind).toBe("down");
    finish[0]?.();
    await sinks[0]?.done;
    expect(sinks.map((sink) => sink.endings)).toEqual([["end"], []]);
    await proxy.dispose();
    expect(sinks[1]?.endings).toEqual(["end"]);
    expect(sinks[1]?.failure?.message).toContain("is being closed");
  });

  test("a stdio connector is the same from outside, but for raw exchanges", async () => {
    const transport = { kind: "stdio" as const, command: process.execPath, args: [stdioMainPath], env: {} };
    const { proxy, availability } = proxyTo("", { spec: { ...specFor(""), transport } });
    await proxy.connect();
    expect(availability).toEqual([[true]]);
    const { entries: tools } = await proxy.list("tools");
    expect(tools.map(({ name }) => name)).toContain("echo");
    const sink = await called(proxy);
    expect(sink.response).toMatchObject({ id: 7, result: { resultType: "complete" } });
    proxy.endSession("client-1");
    await expect(proxy.forward({})).rejects.toThrow("only HTTP connectors forward raw requests");
  });

  test("a flapping upstream is not tried ever faster", async () => {
    const time = new ManualTime();
    const server = await upstream(echo);
    const { proxy } = proxyTo(server.url, { time });
    for (const delayMs of [100, 200, 400]) {
      await proxy.connect();
      await server.stop();
      await vi.waitFor(async () => expect((await called(proxy)).error?.message).toMatch(/refused/));
      expect(time.delays).toEqual([delayMs]);
      await server.start();
      await time.advance(delayMs);
      await vi.waitFor(() => expect(proxy.state.kind).toBe("up"));
    }
  });

  test("changed tools are told, and a listener that throws harms nobody", async () => {
    const streams: ((message: JsonObject) => void)[] = [];
    const server = await upstream(
      modern((_, res) => void streams.push(openStream(res)), {
        ...DISCOVERED,
        capabilities: { tools: { listChanged: true } },
      }),
    );
    const onListChanged = vi.fn<() => void>(() => {
      throw new Error("listener");
    });
    const { proxy, logger } = proxyTo(server.url, { onListChanged });
    await proxy.connect();
    await vi.waitFor(() => expect(streams).toHaveLength(1));
    streams[0]?.({ jsonrpc: "2.0", method: "notifications/tools/list_changed" });
    await vi.waitFor(() => expect(onListChanged).toHaveBeenCalledTimes(1));
    expect(logger.lines.find(({ level }) => level === "error")?.fields["connectorId"]).toBe("up");
  });

  test("ended client sessions are told to the upstream", async () => {
    const sessions = new Set<string>();
    const server = await upstream(legacy((seen, res) => json(res, 200, result(seen, {})), { sessions }));
    const { proxy } = proxyTo(server.url);
    proxy.endSession("nobody yet");
    await proxy.connect();
    await called(proxy, LEGACY_CALLER);
    proxy.endSession("client-1");
    await vi.waitFor(() => expect([...sessions]).toEqual(["session-1"]));
  });

  test("an unsupported connector is down for good, with its reason", async () => {
    const time = new ManualTime();
    const spec = {
      ...specFor("http://x/"),
      transport: { kind: "unsupported" as const, reason: "ws is not a transport of MCP" },
    };
    const { proxy, availability } = proxyTo("", { spec, time });
    const reason = 'Connector "up" cannot be used: ws is not a transport of MCP';
    await expect(proxy.connect()).rejects.toThrow(reason);
    expect(availability).toEqual([[false, reason]]);
    expect(proxy.state).toMatchObject({ kind: "down", attempt: 0 });
    expect(proxy.state).not.toHaveProperty("retryAt");
    expect(time.pending).toBe(0);
    expect((await called(proxy)).error?.message).toBe(reason);
    await expect(proxy.forward({})).rejects.toThrow(reason);
    proxy.endSession("x");
  });

  test("an address that is none is down with its reason, not an exception", async () => {
    const { proxy } = proxyTo("nonsense");
    await expect(proxy.connect()).rejects.toThrow("must be an http or https URL");
    expect(proxy.state.kind).toBe("down");
  });
});
