import { DEFAULT_TIMEOUTS, type ConnectorSpec } from "@cortex-os/mcp-core";
import { fixedRandom, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { LookTimers } from "../../stdio/__tests__/look-timers.js";
import {
  expectNoProcessLeft,
  MARK,
  markedProcesses,
  MODERN_CALLER,
  RecordingSink,
  SCRIPTED,
  toolCall,
} from "../../stdio/__tests__/support.js";
import { RemoteProxy } from "../remote-proxy.js";

const proxies: RemoteProxy[] = [];

afterEach(async () => {
  await Promise.all(proxies.splice(0).map(async (proxy) => proxy.dispose()));
  await expectNoProcessLeft();
});

const specFor = (...args: readonly string[]): ConnectorSpec => ({
  key: "demo",
  source: "registry",
  transport: { kind: "stdio", command: process.execPath, args: [SCRIPTED, ...args], env: { CORTEX_TEST_MARK: MARK } },
  disabled: false,
  timeouts: DEFAULT_TIMEOUTS,
  isolation: "shared",
});

/** A proxy of a real child, connected, whose idle time is in the test's hands. */
async function awake(...args: readonly string[]) {
  const timers = new LookTimers();
  const heard: string[] = [];
  const proxy = new RemoteProxy({
    spec: specFor(...args),
    idleMs: timers.idleMs,
    timers,
    random: fixedRandom(0.5),
    logger: new RecordingLogger(),
    onAvailability: (up) => heard.push(up ? "up" : "down"),
    onAsleep: () => heard.push("asleep"),
  });
  proxies.push(proxy);
  await proxy.connect();
  const call = async (name: string, params = {}): Promise<RecordingSink> => {
    const sink = new RecordingSink();
    proxy.send(toolCall(name, params, { caller: MODERN_CALLER }), sink);
    return sink.settled;
  };
  return { proxy, timers, heard, call };
}

const gone = async (): Promise<void> => vi.waitFor(async () => expect(await markedProcesses()).toEqual([]));

describe("R18: a child process that falls asleep", () => {
  test("ends in good order and leaves no process; what was learned of it stays", async () => {
    const { proxy, timers, heard } = await awake();
    const { facts } = proxy;
    expect(await markedProcesses()).not.toEqual([]);
    timers.look(4);
    expect([proxy.state, heard]).toEqual([{ kind: "asleep" }, ["up", "asleep"]]);
    expect(proxy.facts).toEqual(facts);
    await gone();
  });

  test("is started by the next call, which waits for it, and calls that come together share the one start", async () => {
    const { proxy, timers, heard, call } = await awake();
    timers.look(4);
    await gone();
    const sinks = await Promise.all([call("pid"), call("pid"), call("pid")]);
    expect(new Set(sinks.map(({ text }) => text)).size).toBe(1);
    expect(proxy.state.kind).toBe("up");
    expect(heard).toEqual(["up", "asleep", "up"]);
  });

  test("a call in the very moment is never cut and never fails: it has the process that was there, or the next one", async () => {
    const { timers, call } = await awake();
    for (let round = 0; round < 3; round += 1) {
      timers.look(3);
      const before = call("pid");
      timers.look();
      const after = await call("pid");
      expect((await before).text).toBe(after.text);
      timers.look(5);
      // The process that was told to go may still be there.
      const next = await call("pid");
      expect(next.text).not.toBe(after.text);
    }
  });

  test("the next one begins when nothing of the one before is left: both would want the same files and ports", async () => {
    const { timers, call } = await awake("--ignore-eof");
    const first = Number((await call("pid")).text);
    timers.look(5);
    const second = Number((await call("pid")).text);
    expect(second).not.toBe(first);
    const alive = await markedProcesses();
    expect(alive).toContain(second);
    expect(alive).not.toContain(first);
  });

  test("a list or a call of the gateway's own wakes it too, and a resource that somebody listens to keeps it awake", async () => {
    const { proxy, timers, heard } = await awake("--capabilities", '{"tools":{},"resources":{"subscribe":true}}');
    timers.look(4);
    expect((await proxy.list("tools")).entries.length).toBeGreaterThan(0);
    timers.look(4);
    expect(await proxy.callTool("echo", { value: "hi" })).toMatchObject({ content: [{ text: "hi" }] });
    timers.look(5);
    await proxy.subscribe("a:1");
    expect(proxy.state.kind).toBe("up");
    timers.look(20);
    expect(proxy.state.kind).toBe("up");
    await proxy.unsubscribe("a:1");
    timers.look(5);
    expect(heard).toEqual(["up", "asleep", "up", "asleep", "up", "asleep", "up", "asleep"]);
  });

  test("a subscription that it refuses when it is awake again is refused to who asked, also to who asked while it woke", async () => {
    const { proxy, timers } = await awake("--capabilities", '{"resources":{"subscribe":true}}');
    timers.look(4);
    const refused = { status: "rejected", reason: { code: "UPSTREAM_PROTOCOL" } };
    expect(
      await Promise.allSettled(["refused:1", "refused:2", "a:1"].map(async (uri) => proxy.subscribe(uri))),
    ).toMatchObject([refused, refused, { status: "fulfilled" }]);
  });

  test("may begin so, with what was learned in an earlier life: nothing is started before something is asked, be it to tell of a resource", async () => {
    const capabilities = { resources: { subscribe: true } };
    const prior = {
      era: "legacy",
      revision: "2025-11-25",
      capabilities,
      detectedAt: "2026-01-01T00:00:00.000Z",
    } as const;
    const proxy = new RemoteProxy({
      spec: specFor("--capabilities", JSON.stringify(capabilities)),
      ...{ prior, asleep: true, logger: new RecordingLogger() },
    });
    proxies.push(proxy);
    expect([proxy.state, proxy.facts, await markedProcesses()]).toEqual([{ kind: "asleep" }, prior, []]);
    await proxy.subscribe("a:1");
    expect(proxy.state.kind).toBe("up");
  });

  test("one that does not start again is down, as one that never started: calls fail and say why, and it is tried again", async () => {
    const timers = new LookTimers();
    const heard: string[] = [];
    const spec = specFor();
    const env: Record<string, string> = { CORTEX_TEST_MARK: MARK };
    const proxy = new RemoteProxy({
      spec: { ...spec, transport: { kind: "stdio", command: process.execPath, args: [SCRIPTED], env } },
      idleMs: timers.idleMs,
      timers,
      random: fixedRandom(0.99),
      logger: new RecordingLogger(),
      onAvailability: (up) => heard.push(up ? "up" : "down"),
    });
    proxies.push(proxy);
    await proxy.connect();
    timers.look(4);
    env["NODE_OPTIONS"] = "--no-such-option";
    const sink = new RecordingSink();
    proxy.send(toolCall("pid", {}, { caller: MODERN_CALLER }), sink);
    expect((await sink.settled).failure).toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      message: expect.stringContaining("its process exited"),
    });
    expect([proxy.state.kind, heard]).toEqual(["down", ["up", "down"]]);
    delete env["NODE_OPTIONS"];
    await vi.waitFor(() => expect(heard.at(-1)).toBe("up"));
  });

  test.each(["dispose", "retire"] as const)("%s ends it while it sleeps, and while it wakes", async (how) => {
    const end = async (proxy: RemoteProxy): Promise<void> =>
      how === "dispose" ? proxy.dispose() : proxy.retire(60_000, "was changed");
    const asleep = await awake();
    asleep.timers.look(4);
    await end(asleep.proxy);
    expect(asleep.proxy.state.kind).toBe("disposed");
    await gone();
    const waking = await awake();
    waking.timers.look(4);
    const answer = waking.call("echo", { value: "late" });
    await end(waking.proxy);
    const { failure } = await answer;
    // Who retires waits for what waits.
    expect(failure?.code).toBe(how === "dispose" ? "UPSTREAM_UNAVAILABLE" : undefined);
    expect(waking.timers.waiting).toBe(0);
    await gone();
  });
});
