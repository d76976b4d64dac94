import { GatewayError } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { fixedRandom, ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { specOf } from "../../__tests__/support/specs.js";
import { settle, TestUpstream, toolOf } from "../../__tests__/support/test-upstreams.js";
import { Connector } from "../connector.js";

function setUp(options: { disabled?: boolean; random?: number } = {}) {
  const time = new ManualTime();
  const logger = new RecordingLogger();
  const made: TestUpstream[] = [];
  const changes: string[] = [];
  const syncs: { seconds: number; ok: boolean }[] = [];
  const connector = new Connector(specOf("k", { disabled: options.disabled ?? false }), {
    createUpstream: (spec, events) => {
      const upstream = new TestUpstream(spec, events);
      made.push(upstream);
      return upstream;
    },
    clock: time,
    monotonic: time,
    timers: time,
    random: fixedRandom(options.random ?? 0.5),
    logger,
    onChange: ({ key }) => changes.push(key),
    onSync: (_connector, seconds, ok) => syncs.push({ seconds, ok }),
  });
  connector.start();
  const upstream = (): TestUpstream => {
    const [only] = made;
    if (only === undefined) throw new Error("no upstream was made");
    return only;
  };
  return { time, logger, made, changes, syncs, connector, upstream };
}

const toolsOf = (connector: Connector): unknown => connector.part?.tools.map(({ name }) => name);

describe("a connector", () => {
  test("is connecting until its tools are listed, then up", async () => {
    const { connector, upstream, time, changes, syncs } = setUp();
    expect(connector.status()).toEqual({
      key: "k",
      source: "registry",
      state: "connecting",
      tools: 0,
      since: "2023-11-14T22:13:20.000Z",
    });
    expect([connector.isSettled, connector.isUp, upstream().connects]).toEqual([false, false, 1]);
    await time.advance(1_000);
    upstream().goUp();
    expect(connector.status().state).toBe("connecting");
    await time.advance(250);
    await upstream().answerList(["a", "b"], { ttlMs: 9, cacheScope: "private" });
    expect(connector.status()).toEqual({
      key: "k",
      source: "registry",
      state: "up",
      era: "modern",
      tools: 2,
      since: "2023-11-14T22:13:21.250Z",
    });
    expect(connector.part).toEqual({ key: "k", tools: [toolOf("a"), toolOf("b")], ttlMs: 9, cacheScope: "private" });
    expect(syncs).toEqual([{ seconds: 0.25, ok: true }]);
    expect(changes).toEqual(["k"]);
    expect([connector.isSettled, connector.isUp]).toEqual([true, true]);
  });

  test("is disabled with no upstream at all when its spec says so", async () => {
    const { connector, made, time } = setUp({ disabled: true });
    expect(made).toEqual([]);
    expect(connector.upstream).toBeUndefined();
    expect(connector.status()).toMatchObject({ state: "disabled", tools: 0 });
    expect(connector.isSettled).toBe(true);
    await connector.close();
    expect(time.pending).toBe(0);
  });

  test("asks for no list that the upstream does not announce, and is up with no tools", async () => {
    const { connector, upstream, time } = setUp();
    upstream().goUp({ prompts: {} });
    await settle();
    expect(upstream().lists).toBe(0);
    expect(connector.part).toEqual({ key: "k", tools: [] });
    expect(connector.isUp).toBe(true);
    expect(time.pending).toBe(1);
  });

  test("keeps its tools while it is down, and says why it is down", async () => {
    const { connector, upstream, logger, time } = setUp();
    await upstream().serve("a");
    upstream().goDown("connection refused");
    expect(connector.status()).toMatchObject({ state: "down", reason: "connection refused", tools: 1 });
    expect(toolsOf(connector)).toEqual(["a"]);
    expect(logger.lines).toContainEqual({
      level: "warn",
      fields: { connectorId: "k", reason: "connection refused" },
      message: "Connector is down",
    });
    expect(time.pending).toBe(0);
  });

  test("has a reason also when the upstream gives none", () => {
    const { connector, upstream } = setUp();
    upstream().goDown();
    expect(connector.status()).toMatchObject({ state: "down", reason: "the upstream is not reachable" });
    expect(connector.isSettled).toBe(true);
  });

  test("lists again when it comes back, and is up only then", async () => {
    const { connector, upstream } = setUp();
    await upstream().serve("a");
    upstream().goDown("gone");
    upstream().goUp();
    expect(connector.isUp).toBe(false);
    await upstream().answerList(["b"]);
    expect(connector.isUp).toBe(true);
    expect(toolsOf(connector)).toEqual(["b"]);
  });

  test("a list that arrives after the upstream went still counts, but does not make it up", async () => {
    const { connector, upstream } = setUp();
    upstream().goUp();
    upstream().goDown("gone");
    await upstream().answerList(["late"]);
    expect(toolsOf(connector)).toEqual(["late"]);
    expect(connector.status()).toMatchObject({ state: "down", reason: "gone" });
  });

  test("leaves out a tool that is nested too deeply to be encoded, and says so", async () => {
    const { connector, upstream, logger } = setUp();
    const deep = JSON.parse(
      `{"name":"deep","inputSchema":${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}}`,
    ) as JsonObject;
    upstream().goUp();
    await upstream().answerTools([toolOf("a"), deep]);
    expect(toolsOf(connector)).toEqual(["a"]);
    expect(logger.lines).toContainEqual({
      level: "warn",
      fields: { connectorId: "k", count: 1 },
      message: "Tools nested deeper than 64 levels were left out",
    });
  });

  test("since tells when the state was entered, not when it was last confirmed", async () => {
    const { connector, upstream, time } = setUp();
    await upstream().serve("a");
    const { since } = connector.status();
    await time.advance(5_000);
    upstream().announceChange();
    await upstream().answerList(["b"]);
    expect(connector.status().since).toBe(since);
  });
});

describe("a connector whose list fails", () => {
  test("is down with the reason when it has no tools yet, and tries again with growing, jittered delays", async () => {
    const { connector, upstream, time, logger, syncs } = setUp({ random: 0.5 });
    upstream().goUp();
    const failure = new GatewayError("UPSTREAM_TIMEOUT", "no answer within 30000 ms");
    await upstream().failList(failure);
    expect(connector.status()).toMatchObject({ state: "down", reason: "tools/list failed: no answer within 30000 ms" });
    expect(logger.lines).toContainEqual({
      level: "warn",
      fields: { connectorId: "k", err: failure },
      message: "Connector sync failed",
    });
    expect(syncs).toEqual([{ seconds: 0, ok: false }]);
    const delays: number[] = [];
    for (let attempt = 0; attempt < 9; attempt += 1) {
      const [delay = 0] = time.delays;
      delays.push(delay);
      await time.advance(delay);
      await upstream().failList(failure);
    }
    expect(delays).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    await time.advance(30_000);
    await upstream().answerList(["a"]);
    expect(connector.isUp).toBe(true);
  });

  test("goes on with the good list it has", async () => {
    const { connector, upstream, time } = setUp();
    await upstream().serve("a");
    upstream().announceChange();
    await upstream().failList(new Error("nonsense"));
    expect(connector.isUp).toBe(true);
    expect(toolsOf(connector)).toEqual(["a"]);
    expect(time.delays).toEqual([250]);
  });

  test("starts its delays over once a list succeeded", async () => {
    const { upstream, time } = setUp();
    upstream().goUp();
    for (const delay of [250, 500]) {
      await upstream().failList(new Error("no"));
      expect(time.delays).toEqual([delay]);
      await time.advance(delay);
    }
    await upstream().answerList(["a"]);
    upstream().announceChange();
    await upstream().failList(new Error("no"));
    expect(time.delays).toEqual([250]);
  });

  test("says nothing of a list that failed because the upstream went", async () => {
    const { connector, upstream, logger, time } = setUp();
    upstream().goUp();
    upstream().goDown("gone");
    await upstream().failList(new Error("lost"));
    expect(connector.status()).toMatchObject({ reason: "gone" });
    expect(logger.messages("warn")).toEqual(["Connector is down"]);
    expect(time.pending).toBe(0);
  });

  test("is listed again at once when the upstream came back during the failing list", async () => {
    const { connector, upstream } = setUp();
    upstream().goUp();
    upstream().goDown("gone");
    upstream().goUp();
    await upstream().failList(new Error("lost"));
    expect(upstream().pendingLists).toBe(1);
    await upstream().answerList(["a"]);
    expect(connector.isUp).toBe(true);
  });
});

describe("a connector's refreshes", () => {
  test("changes announced during a list make one more list, however many they were", async () => {
    const { connector, upstream } = setUp();
    upstream().goUp();
    for (let change = 0; change < 10; change += 1) upstream().announceChange();
    expect(upstream().lists).toBe(1);
    await upstream().answerList(["old"]);
    expect(upstream().lists).toBe(2);
    await upstream().answerList(["new"]);
    expect(upstream().lists).toBe(2);
    expect(toolsOf(connector)).toEqual(["new"]);
  });

  test.each([
    [0, 240_000],
    [0.5, 300_000],
    [0.999_999, 359_999],
  ])(
    "come every 5 minutes ± 20 %% when the upstream announces no changes (chance %f: %i ms)",
    async (random, delay) => {
      const { upstream, time } = setUp({ random });
      await upstream().serve("a");
      expect(time.delays).toEqual([delay]);
      await time.advance(delay);
      expect(upstream().lists).toBe(2);
      await upstream().answerList(["a"]);
      expect(time.delays).toEqual([delay]);
    },
  );

  test("are left to the upstream when it announces its changes", async () => {
    const { upstream, time } = setUp();
    upstream().goUp({ tools: { listChanged: true } });
    await upstream().answerList(["a"]);
    expect(time.pending).toBe(0);
    upstream().announceChange();
    expect(upstream().lists).toBe(2);
  });

  test("do not happen while it is down: a change announced then is seen when it comes back", async () => {
    const { upstream } = setUp();
    upstream().announceChange();
    expect(upstream().lists).toBe(0);
    await upstream().serve("a");
    upstream().goDown("gone");
    upstream().announceChange();
    expect(upstream().lists).toBe(1);
  });
});

describe("a closed connector", () => {
  test("releases its upstream and its timer, and is silent about whatever still arrives", async () => {
    const { connector, upstream, time, changes, syncs, logger } = setUp();
    await upstream().serve("a");
    upstream().announceChange();
    const before = [changes.length, syncs.length, logger.lines.length];
    await connector.close();
    expect(upstream().disposals).toBe(1);
    await upstream().answerList(["b"]);
    upstream().goDown("gone");
    upstream().goUp();
    upstream().announceChange();
    expect([changes.length, syncs.length, logger.lines.length]).toEqual(before);
    expect(upstream().lists).toBe(2);
    expect(toolsOf(connector)).toEqual(["a"]);
    expect(time.pending).toBe(0);
  });

  test("says nothing of a list that fails because of the closing, and lists no more", async () => {
    const { connector, upstream, time, syncs, logger } = setUp();
    upstream().goUp();
    upstream().announceChange();
    await connector.close();
    await upstream().failList(new Error("disposed"));
    expect([syncs, logger.lines, upstream().lists, time.pending]).toEqual([[], [], 1, 0]);
  });
});
