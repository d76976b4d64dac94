import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { failOnLeaks, specAt, startGateway, startServed, startUpstream } from "../../__tests__/support/gateway.js";
import { startServer } from "../../__tests__/support/http.js";
import { RecordingSink } from "../../__tests__/support/recording-sink.js";
import { specOf } from "../../__tests__/support/specs.js";

failOnLeaks();

const MODERN = { era: "modern", revision: "2026-07-28", principal: "anonymous" } as const;

describe("the gateway", () => {
  test("shows itself at a glance", async () => {
    const upstream = await startUpstream({ era: "legacy" });
    const { gateway } = await startGateway([
      specAt("a", upstream.url),
      specOf("off", { disabled: true }),
      specAt("refused", "http://127.0.0.1:1/mcp"),
    ]);
    await gateway.settled();
    const status = gateway.status();
    expect(status).toMatchObject({ version: "1.2.3", sessions: 0, tools: gateway.tools().length });
    expect(status.startedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(status.revision).toMatch(/^[0-9a-f]{64}$/);
    expect(status.connectors).toMatchObject([
      { key: "a", state: "up", era: "legacy", tools: gateway.tools().length },
      { key: "off", state: "disabled" },
      { key: "refused", state: "down", reason: expect.any(String) },
    ]);
    expect(gateway.isReady).toBe(true);
  });

  test("R23: two gateways with the same connectors in another order serve the same revision", async () => {
    const [one, other] = [await startUpstream({ extraTools: 5 }), await startUpstream({ era: "legacy" })];
    const specs = [specAt("a", one.url), specAt("b", other.url)];
    const gateways = [await startGateway(specs), await startGateway(specs.toReversed())];
    for (const { gateway } of gateways) await gateway.settled();
    const [left, right] = gateways.map(({ gateway }) => gateway.status().revision);
    expect(left).toBe(right);
  });

  test("is not ready before something is up, and ready when it is", async () => {
    const { gateway } = await startGateway([specAt("gone", "http://127.0.0.1:1/mcp")]);
    await gateway.settled();
    expect(gateway.isReady).toBe(false);
    const empty = await startGateway([]);
    await empty.gateway.settled();
    expect(empty.gateway.isReady).toBe(true);
    await empty.gateway.close();
    expect(empty.gateway.isReady).toBe(false);
  });

  test("tells of every change until the listener leaves; one that throws is logged and harms no other", async () => {
    const upstream = await startUpstream();
    const { gateway, logger, source } = await startGateway([]);
    await gateway.settled();
    const failure = new Error("bad listener");
    let told = 0;
    const leaveBad = gateway.onChange(() => {
      throw failure;
    });
    const leave = gateway.onChange(() => (told += 1));
    source.name([specAt("a", upstream.url)]);
    await vi.waitFor(() => expect(gateway.status().connectors).toMatchObject([{ key: "a", state: "up" }]));
    await vi.waitFor(() => expect(told).toBeGreaterThan(1));
    expect(logger.lines).toContainEqual({
      level: "error",
      fields: { err: failure },
      message: "A gateway listener failed",
    });
    leave();
    leaveBad();
    const before = told;
    source.name([]);
    await vi.waitFor(() => expect(gateway.tools()).toEqual([]));
    expect(told).toBe(before);
  });

  test("calls a tool by its public name for the command line, once it has settled", async () => {
    const upstream = await startUpstream();
    const { gateway } = await startGateway([specAt("a", upstream.url)]);
    const result = await gateway.callTool("a__echo", { message: "hello" });
    expect(JSON.stringify(result)).toContain("hello");
    await expect(gateway.callTool("nope", {})).rejects.toMatchObject({ code: "TOOL_UNKNOWN" });
    const abort = new AbortController();
    const calling = gateway.callTool("a__slow", { ms: 60_000 }, { signal: abort.signal });
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(1));
    abort.abort();
    await expect(calling).rejects.toMatchObject({ code: "CANCELLED" });
    await vi.waitFor(() => expect(upstream.calls.inFlight).toBe(0));
  });

  test("a call that waits for the start can be given up", async () => {
    const hung = await startServer(() => {});
    const { gateway } = await startGateway([specAt("hung", `http://127.0.0.1:${hung.port}/mcp`)]);
    const abort = new AbortController();
    const calling = gateway.callTool("hung__x", {}, { signal: abort.signal });
    abort.abort();
    await expect(calling).rejects.toMatchObject({ code: "CANCELLED" });
    await expect(gateway.callTool("hung__x", {}, { signal: abort.signal })).rejects.toMatchObject({
      code: "CANCELLED",
    });
    const waiting = gateway.callTool("hung__x", {}, { signal: new AbortController().signal });
    await Promise.all([gateway.close(), expect(waiting).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" })]);
  });

  test("counts what happens (R15): availability, syncs, calls, tools; a connector that left takes its series along", async () => {
    const upstream = await startUpstream();
    const { gateway, metrics, source } = await startGateway([
      specAt("a", upstream.url),
      specAt("gone", "http://127.0.0.1:1/mcp"),
    ]);
    await gateway.settled();
    const sink = new RecordingSink();
    gateway.router.handle(
      {
        message: { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "a__echo" } },
        caller: MODERN,
        scope: gateway.scopes.whole,
      },
      sink,
    );
    await vi.waitFor(() => expect(sink.events.at(-1)?.kind).toBe("end"));
    const slow = { name: "a__slow", arguments: { ms: 60_000 } };
    gateway.router
      .handle(
        {
          message: { jsonrpc: "2.0", id: 2, method: "tools/call", params: slow },
          caller: MODERN,
          scope: gateway.scopes.whole,
        },
        new RecordingSink(),
      )
      .cancel("enough");
    gateway.sessions.create(gateway.scopes.whole, { era: "legacy", revision: "2025-11-25", principal: "anonymous" });
    gateway.measure();
    const text = await metrics.exposition();
    for (const line of [
      'brainwav_mcp_connector_proxy_up{connector="a"} 1',
      'brainwav_mcp_connector_proxy_up{connector="gone"} 0',
      'mcp_connector_sync_duration_seconds_count{result="ok"} 3',
      'brainwav_mcp_call_duration_seconds_count{connector="a",outcome="answered"} 1',
      'brainwav_mcp_call_duration_seconds_count{connector="a",outcome="cancelled"} 1',
      'brainwav_mcp_calls_total{connector="a",method="tools/call",outcome="answered"} 1',
      'brainwav_mcp_requests_total{era="modern",method="tools/call",outcome="cancelled"} 1',
      'brainwav_mcp_connectors{source="registry",state="down"} 1',
      `brainwav_mcp_build_info{version="1.2.3",node="${process.version}"} 1`,
      `brainwav_mcp_catalog_tools ${gateway.tools().length}`,
      "brainwav_mcp_client_sessions 1",
    ]) {
      expect(text).toContain(line);
    }
    source.name([]);
    await vi.waitFor(async () => expect(await metrics.exposition()).not.toContain('connector="'));
  });

  test("ends what is held for a session at its upstreams when the session ends", async () => {
    const upstream = await startUpstream({ era: "legacy" });
    const { gateway } = await startGateway([specAt("a", upstream.url)]);
    await gateway.settled();
    const shared = upstream.sessions;
    const session = gateway.sessions.create(gateway.scopes.whole, {
      era: "legacy",
      revision: "2025-11-25",
      principal: "anonymous",
    });
    const sink = new RecordingSink();
    gateway.router.handle(
      {
        message: { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "a__echo" } },
        caller: session.caller,
        scope: gateway.scopes.whole,
      },
      sink,
    );
    await vi.waitFor(() => expect(sink.events.at(-1)?.kind).toMatch(/end|respond/));
    expect(upstream.sessions).toBe(shared + 1);
    gateway.sessions.end(session.id, "done");
    await vi.waitFor(() => expect(upstream.sessions).toBe(shared));
  });

  test("heals: an upstream that comes back is called again, and clients are told", async () => {
    const first = await startUpstream();
    const { gateway, port: front } = await startServed([specAt("a", first.url)]);
    expect(front).toBeGreaterThan(0);
    const { port } = first;
    await first.close();
    await vi.waitFor(() => expect(gateway.status().connectors).toMatchObject([{ state: "down" }]), 10_000);
    expect(gateway.tools().length).toBeGreaterThan(0);
    await expect(gateway.callTool("a__echo", {})).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    await startUpstream({ port });
    await vi.waitFor(() => expect(gateway.status().connectors).toMatchObject([{ state: "up" }]), 10_000);
    expect(JSON.stringify(await gateway.callTool("a__echo", { message: "back" }))).toContain("back");
  });

  test("tells clients of a change at once, of what follows a tenth of a second later, and never loses the last", async () => {
    const time = new ManualTime();
    const [a, b, c] = [await startUpstream(), await startUpstream(), await startUpstream()];
    const specs = [specAt("a", a.url), specAt("b", b.url), specAt("c", c.url)];
    const { gateway, source } = await startGateway([], { monotonic: time, timers: time });
    await gateway.settled();
    const listener = new RecordingSink();
    const params = { notifications: { toolsListChanged: true } };
    gateway.router.handle(
      {
        message: { jsonrpc: "2.0", id: 1, method: "subscriptions/listen", params },
        caller: MODERN,
        scope: gateway.scopes.whole,
      },
      listener,
    );
    const session = gateway.sessions.create(gateway.scopes.whole, {
      era: "legacy",
      revision: "2025-11-25",
      principal: "anonymous",
    });
    let sessionTold = 0;
    session.listen({
      notify: ({ method }) => {
        if (method === "notifications/tools/list_changed") sessionTold += 1;
      },
      end: () => {},
    });
    const told = (): number[] => [listener.events.length - 1, sessionTold];
    for (let named = 1; named <= specs.length; named += 1) {
      source.name(specs.slice(0, named));
      await vi.waitFor(() => expect(new Set(gateway.tools().map(({ connector }) => connector)).size).toBe(named));
      expect(told()).toEqual([1, 1]);
    }
    await time.advance(99);
    expect(told()).toEqual([1, 1]);
    await time.advance(1);
    expect(told()).toEqual([2, 2]);
    await time.advance(10_000);
    expect(told()).toEqual([2, 2]);
    source.name([]);
    await vi.waitFor(() => expect(told()).toEqual([3, 3]));
    source.name(specs);
    await vi.waitFor(() => expect(gateway.tools()).not.toEqual([]));
    await gateway.close();
    expect(time.pending).toBe(0);
  });

  test("reloads its sources", async () => {
    const { gateway, source } = await startGateway([]);
    const before = source.reloads;
    await gateway.reload();
    expect(source.reloads).toBe(before + 1);
  });

  test("closing ends subscriptions with a result, cancels what is under way, and may be done twice and while starting", async () => {
    const upstream = await startUpstream();
    const { gateway } = await startGateway([specAt("a", upstream.url)]);
    const listener = new RecordingSink();
    const listen = { jsonrpc: "2.0", id: 1, method: "subscriptions/listen", params: { notifications: {} } } as const;
    gateway.router.handle({ message: listen, caller: MODERN, scope: gateway.scopes.whole }, listener);
    const session = gateway.sessions.create(gateway.scopes.whole, {
      era: "legacy",
      revision: "2025-11-25",
      principal: "anonymous",
    });
    let cancelled: string | undefined;
    session.inFlight.set(1, (reason) => {
      cancelled = reason;
    });
    await Promise.all([gateway.close(), gateway.close()]);
    expect(listener.events.at(-1)).toMatchObject({
      kind: "respond",
      response: { id: 1, result: { resultType: "complete" } },
    });
    expect(cancelled).toBe("the gateway is shutting down");
    expect(gateway.status().connectors).toEqual([]);
    await gateway.settled();
  });
});
