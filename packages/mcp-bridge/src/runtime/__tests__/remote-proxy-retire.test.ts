import { stdioMainPath } from "@cortex-os/fixture-server";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import type { ServerResponse } from "node:http";
import { describe, expect, test, vi } from "vitest";
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
  type Seen,
} from "../../http/__tests__/scripted-upstream.js";
import type { RemoteProxy } from "../remote-proxy.js";
import { called, echo, proxyTo, stopped } from "./proxy-to.js";

const GRACE_MS = 30_000;
const cut = (graceMs = GRACE_MS): string =>
  `Connector "up" was changed, and this call had not ended ${graceMs} ms later; whether it took effect is unknown`;

/** Keeps every call until the test answers them. */
function holding() {
  const held: { readonly seen: Seen; readonly res: ServerResponse }[] = [];
  const calls = (seen: Seen, res: ServerResponse): void => void held.push({ seen, res });
  const answer = (): void => {
    for (const { seen, res } of held.splice(0)) json(res, 200, result(seen, { resultType: "complete", content: [] }));
  };
  return { calls, held, answer };
}

/** Whether a promise has settled by now. */
function watched(promise: Promise<unknown>): { readonly done: () => boolean } {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  return { done: () => done };
}

describe("retiring a RemoteProxy: its connector changed or went, and calls are in flight", () => {
  test("they end by themselves, a client's and the gateway's own, and it goes with the last of them", async () => {
    const time = new ManualTime();
    const { calls, held, answer } = holding();
    const server = await upstream(modern(calls));
    const { proxy, availability } = proxyTo(server.url, { time });
    await proxy.connect();
    const [call, own] = [called(proxy), proxy.callTool("echo", {})];
    await vi.waitFor(() => expect(held).toHaveLength(2));
    const retired = proxy.retire(GRACE_MS, "was changed");
    expect(proxy.retire(1, "was removed")).toBe(retired);
    expect(proxy.state).toEqual({ kind: "disposed" });
    const { done } = watched(retired);
    await time.advance(GRACE_MS - 1);
    expect(done()).toBe(false);
    answer();
    expect((await call).body).toMatchObject({ id: 7, result: { content: [] } });
    expect(await own).toMatchObject({ content: [] });
    await retired;
    expect(availability).toEqual([[true]]);
    expect(time.pending).toBe(0);
    await vi.waitFor(async () => expect(await server.open()).toBe(0));
  });

  test("nothing new begins: no call, no attempt, no list", async () => {
    const { calls, held, answer } = holding();
    const server = await upstream(modern(calls));
    const { proxy } = proxyTo(server.url);
    await proxy.connect();
    const call = called(proxy);
    await vi.waitFor(() => expect(held).toHaveLength(1));
    const retired = proxy.retire(GRACE_MS, "was changed");
    expect((await called(proxy)).error).toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    await expect(proxy.connect()).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    await expect(proxy.list("tools")).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    expect(proxy.hearsChanges).toBe(false);
    answer();
    expect((await call).endings).toEqual(["end"]);
    await retired;
    expect(server.methods).toEqual(["server/discover", "tools/call"]);
  });

  test("what has not ended after the grace fails and says why, and that its effect is unknown", async () => {
    const time = new ManualTime();
    const { calls, held } = holding();
    const server = await upstream(modern(calls));
    const { proxy, logger } = proxyTo(server.url, { time });
    await proxy.connect();
    const [call, own] = [called(proxy), proxy.callTool("echo", {})];
    const refused = expect(own).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE", message: cut() });
    await vi.waitFor(() => expect(held).toHaveLength(2));
    const retired = proxy.retire(GRACE_MS, "was changed");
    await time.advance(GRACE_MS);
    await retired;
    expect((await call).error).toMatchObject({ code: "UPSTREAM_UNAVAILABLE", message: cut() });
    await refused;
    expect(logger.messages("warn")).toEqual(["Calls were cut short: their connector was changed"]);
    expect(time.pending).toBe(0);
    await vi.waitFor(() => expect(held.every(({ seen }) => seen.aborted)).toBe(true));
  });

  test("a stream of answers that had begun ends with that error as its last event", async () => {
    const time = new ManualTime();
    const server = await upstream(
      modern((_, res) => {
        openStream(res)({ jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: "x" } });
      }),
    );
    const { proxy } = proxyTo(server.url, { time });
    await proxy.connect();
    const sink = new RecordingSink();
    proxy.send(toolCall(MODERN_CALLER), sink);
    await vi.waitFor(() => expect(sink.messages).toHaveLength(1));
    const retired = proxy.retire(GRACE_MS, "was changed");
    await time.advance(GRACE_MS);
    await retired;
    expect((sink.failure ?? sink.aborted)?.message).toBe(cut());
  });

  test("disposing ends them at once, and the grace with them", async () => {
    const time = new ManualTime();
    const { calls, held } = holding();
    const server = await upstream(modern(calls));
    const { proxy } = proxyTo(server.url, { time });
    await proxy.connect();
    const call = called(proxy);
    await vi.waitFor(() => expect(held).toHaveLength(1));
    const retired = proxy.retire(GRACE_MS, "was changed");
    await proxy.dispose();
    await retired;
    expect((await call).error?.message).toContain("is being closed");
    expect(time.pending).toBe(0);
  });

  test("without calls it goes at once, in any state; a second time is fine", async () => {
    const time = new ManualTime();
    const server = await upstream(echo);
    const away = await stopped(echo);
    const proxyOf = (url: string): RemoteProxy => proxyTo(url, { time }).proxy;
    const [up, idle, down] = [proxyOf(server.url), proxyOf(server.url), proxyOf(away.url)];
    await up.connect();
    await down.connect().catch(() => {});
    await Promise.all([up, idle, down].map((proxy) => proxy.retire(GRACE_MS, "was removed")));
    await up.dispose();
    await up.retire(GRACE_MS, "was removed");
    expect(time.pending).toBe(0);
  });

  test("with nobody waiting, an attempt to connect is given up", async () => {
    const server = await upstream(() => {});
    const { proxy, availability } = proxyTo(server.url);
    const connecting = expect(proxy.connect()).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    await vi.waitFor(() => expect(server.seen).toHaveLength(1));
    await proxy.retire(GRACE_MS, "was changed");
    await connecting;
    expect(availability).toEqual([]);
  });
});

describe("retiring a RemoteProxy while calls wait for its first connection", () => {
  /** A modern server that is discovered when the test says so, and a proxy whose first calls wait for that. */
  async function waiting(graceMs = GRACE_MS) {
    const time = new ManualTime();
    const discoveries: (() => void)[] = [];
    const server = await upstream((seen, res) => {
      if (seen.method === "server/discover") discoveries.push(() => json(res, 200, result(seen, DISCOVERED)));
      else echo(seen, res);
    });
    const { proxy } = proxyTo(server.url, { time });
    const [call, own] = [called(proxy), proxy.callTool("echo", {})];
    await vi.waitFor(() => expect(discoveries).toHaveLength(1));
    const retired = proxy.retire(graceMs, "was changed");
    return { time, server, proxy, call, own, retired, discovered: () => discoveries[0]?.() };
  }

  test("they are calls in flight: connected, they are carried out", async () => {
    const { time, call, own, retired, discovered } = await waiting();
    discovered();
    expect((await call).endings).toEqual(["end"]);
    expect(await own).toMatchObject({ isError: false });
    await retired;
    expect(time.pending).toBe(0);
  });

  test("they fail with what the attempt failed with, and it is not tried again", async () => {
    const { time, server, call, own, retired } = await waiting();
    const refused = expect(own).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    await server.stop();
    expect((await call).error?.message).not.toContain("tried again");
    await refused;
    await retired;
    expect(time.pending).toBe(0);
  });

  test("they fail when the grace is over", async () => {
    const { time, call, own, retired } = await waiting(1_000);
    const refused = expect(own).rejects.toMatchObject({ message: cut(1_000) });
    await time.advance(1_000);
    expect((await call).error?.message).toBe(cut(1_000));
    await refused;
    await retired;
    expect(time.pending).toBe(0);
  });
});

describe("retiring a RemoteProxy of a legacy upstream", () => {
  test("sessions of clients live as long as their calls, and are ended at the upstream afterwards", async () => {
    const { calls, held, answer } = holding();
    const sessions = new Set<string>();
    const server = await upstream(legacy(calls, { sessions }));
    const { proxy } = proxyTo(server.url);
    await proxy.connect();
    const sink = new RecordingSink();
    proxy.send(toolCall(LEGACY_CALLER), sink);
    await vi.waitFor(() => expect(held).toHaveLength(1));
    const retired = proxy.retire(GRACE_MS, "was removed");
    expect(sessions.size).toBe(2);
    answer();
    expect((await sink.done).body).toMatchObject({ id: 7 });
    await retired;
    expect(sessions.size).toBe(0);
  });

  test("a cancelled call is one that ended", async () => {
    const { calls, held } = holding();
    const server = await upstream(legacy(calls, { sessions: new Set() }));
    const { proxy } = proxyTo(server.url);
    await proxy.connect();
    const exchange = proxy.send(toolCall(LEGACY_CALLER), new RecordingSink());
    await vi.waitFor(() => expect(held).toHaveLength(1));
    const retired = proxy.retire(GRACE_MS, "was removed");
    exchange.cancel("enough");
    await retired;
    expect(held[0]?.seen.aborted).toBe(true);
  });
});

describe("retiring a RemoteProxy over stdio", () => {
  /** A proxy of the fixture server, with a client's call and one of the gateway's own that take so long. */
  async function busy(ms: number) {
    const transport = { kind: "stdio" as const, command: process.execPath, args: [stdioMainPath], env: {} };
    const { proxy } = proxyTo("", { spec: { ...specFor(""), transport } });
    await proxy.connect();
    const sink = new RecordingSink();
    const { params, ...call } = toolCall(MODERN_CALLER, 7, {}, "slow");
    proxy.send({ ...call, params: { ...params, arguments: { ms } } }, sink);
    const own = proxy.callTool("slow", { ms });
    return { proxy, sink, own };
  }

  test("both calls end by themselves before the child is stopped", async () => {
    const { proxy, sink, own } = await busy(200);
    const retired = proxy.retire(GRACE_MS, "was changed");
    expect((await sink.done).response).toMatchObject({ id: 7, result: { content: expect.any(Array) as unknown } });
    expect(await own).toMatchObject({ content: expect.any(Array) as unknown });
    await retired;
  });

  test("what has not ended after the grace fails and says why", async () => {
    const { proxy, sink, own } = await busy(60_000);
    const refused = expect(own).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE", message: cut(20) });
    await proxy.retire(20, "was changed");
    expect((await sink.done).error?.message).toBe(cut(20));
    await refused;
  });
});
