import { systemRandom } from "@cortex-os/mcp-core";
import { ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { specOf } from "../../__tests__/support/specs.js";
import { settle, TestUpstreams } from "../../__tests__/support/test-upstreams.js";
import { entriesOf } from "../../catalog/catalog-part.js";
import { Reconciler } from "../reconciler.js";

function setUp() {
  const time = new ManualTime();
  const logger = new RecordingLogger();
  const upstreams = new TestUpstreams();
  const seen = { changes: 0, syncs: [] as string[] };
  const reconciler = new Reconciler({
    createUpstream: upstreams.create,
    clock: time,
    monotonic: time,
    timers: time,
    random: systemRandom,
    logger,
    onChange: () => {
      seen.changes += 1;
    },
    onSync: ({ key }) => seen.syncs.push(key),
  });
  return { time, logger, upstreams, seen, reconciler };
}

const keysOf = (reconciler: Reconciler): string[] => reconciler.connectors.map(({ key }) => key);

describe("the reconciler", () => {
  test("starts what is new, and lists connectors sorted by key", () => {
    const { reconciler, upstreams, seen, logger } = setUp();
    reconciler.apply([specOf("b"), specOf("a", { source: "map" })]);
    expect(keysOf(reconciler)).toEqual(["a", "b"]);
    expect(upstreams.made.map(({ connects }) => connects)).toEqual([1, 1]);
    expect(seen.changes).toBe(1);
    expect(logger.lines).toContainEqual({
      level: "info",
      fields: { connectorId: "a", source: "map" },
      message: "Connector added",
    });
  });

  test("leaves alone what is the same, whatever the order of its fields: the same object, still connected", async () => {
    const { reconciler, upstreams } = setUp();
    const http = (headers: Record<string, string>) =>
      specOf("a", { transport: { kind: "http", url: "http://x/", headers } });
    reconciler.apply([http({ one: "1", two: "2" })]);
    const before = reconciler.find("a");
    await upstreams.of("a").serve("t");
    reconciler.apply([http({ two: "2", one: "1" })]);
    expect(reconciler.find("a")).toBe(before);
    expect(upstreams.made).toHaveLength(1);
    expect(upstreams.of("a").disposals).toBe(0);
    expect(reconciler.parts()).toHaveLength(1);
  });

  test.each([
    ["its endpoint", { transport: { kind: "http", url: "http://127.0.0.1:9/other", headers: {} } }],
    ["a header", { transport: { kind: "http", url: "http://127.0.0.1:9/a", headers: { k: "v" } } }],
    ["its isolation", { isolation: "session" }],
    ["its source", { source: "map" }],
    ["a time-out", { timeouts: { connectMs: 1, listMs: 1, callMs: 1, callMaxMs: 1, startMs: 1 } }],
  ] as const)("replaces what changed in %s and closes the old one", async (_what, change) => {
    const { reconciler, upstreams, logger } = setUp();
    reconciler.apply([specOf("a")]);
    const [old] = upstreams.made;
    await old?.serve("t");
    const before = reconciler.find("a");
    reconciler.apply([specOf("a", change)]);
    expect(reconciler.find("a")).not.toBe(before);
    expect(old?.disposals).toBe(1);
    expect(upstreams.made).toHaveLength(2);
    expect(logger.messages("info")).toContain("Connector changed");
  });

  const toolsOf = (reconciler: Reconciler): unknown =>
    reconciler.parts().flatMap((part) => entriesOf(part, "tools").map(({ name }) => name));

  test("what a connector offered is offered until the one in its place has settled: no list lacks it meanwhile", async () => {
    const { reconciler, upstreams } = setUp();
    reconciler.apply([specOf("a")]);
    await upstreams.of("a").serve("old");
    reconciler.apply([specOf("a", { version: "2" })]);
    expect(toolsOf(reconciler)).toEqual(["old"]);
    reconciler.apply([specOf("a", { version: "3" })]);
    expect(toolsOf(reconciler)).toEqual(["old"]);
    await upstreams.of("a").serve("new");
    expect(toolsOf(reconciler)).toEqual(["new"]);
  });

  test("what a connector offered goes when the one in its place cannot be reached, or is disabled", async () => {
    const { reconciler, upstreams } = setUp();
    reconciler.apply([specOf("a"), specOf("b")]);
    await upstreams.of("a").serve("t");
    await upstreams.of("b").serve("u");
    reconciler.apply([specOf("a", { version: "2" }), specOf("b", { disabled: true })]);
    expect(toolsOf(reconciler)).toEqual(["t"]);
    upstreams.of("a").goDown("refused");
    expect(toolsOf(reconciler)).toEqual([]);
  });

  test("no longer listens to a connector that was replaced", async () => {
    const { reconciler, upstreams, seen } = setUp();
    reconciler.apply([specOf("a")]);
    const old = upstreams.of("a");
    old.goUp();
    reconciler.apply([specOf("a", { isolation: "session" })]);
    const { changes } = seen;
    await old.answerList(["late"]);
    old.goDown("late");
    expect(seen.changes).toBe(changes);
    expect(reconciler.parts()).toEqual([]);
    expect(reconciler.statuses()).toMatchObject([{ state: "connecting" }]);
  });

  test("closes what left, and its tools go with it", async () => {
    const { reconciler, upstreams } = setUp();
    reconciler.apply([specOf("a"), specOf("b")]);
    await upstreams.of("a").serve("t");
    await upstreams.of("b").serve("t");
    reconciler.apply([specOf("b")]);
    expect(keysOf(reconciler)).toEqual(["b"]);
    expect(reconciler.parts().map(({ key }) => key)).toEqual(["b"]);
    expect(upstreams.of("a").disposals).toBe(1);
    expect(upstreams.of("b").disposals).toBe(0);
  });

  test("a connector that is disabled loses its upstream and its tools, and is shown as disabled", async () => {
    const { reconciler, upstreams } = setUp();
    reconciler.apply([specOf("a")]);
    await upstreams.of("a").serve("t");
    reconciler.apply([specOf("a", { disabled: true })]);
    expect(upstreams.of("a").disposals).toBe(1);
    expect(reconciler.find("a")?.upstream).toBeUndefined();
    expect(reconciler.statuses()).toMatchObject([{ key: "a", state: "disabled", tools: 0 }]);
    reconciler.apply([specOf("a")]);
    expect(upstreams.made).toHaveLength(2);
  });

  test("100 toggles leave no upstream undisposed but the last (reliability.md, threat 21)", async () => {
    const { reconciler, upstreams } = setUp();
    for (let toggle = 0; toggle < 100; toggle += 1) {
      reconciler.apply([specOf("a", { disabled: toggle % 2 === 1 })]);
      if (toggle % 2 === 0) await upstreams.of("a").serve("t");
    }
    reconciler.apply([specOf("a")]);
    const living = upstreams.made.filter(({ disposals }) => disposals === 0);
    expect(living).toEqual([upstreams.of("a")]);
  });

  test("tells of a change when a connector comes up, goes down or lists other tools", async () => {
    const { reconciler, upstreams, seen } = setUp();
    reconciler.apply([specOf("a")]);
    await upstreams.of("a").serve("t");
    upstreams.of("a").goDown("gone");
    expect(seen).toEqual({ changes: 3, syncs: ["a"] });
  });

  test("what was changed, disabled or removed is retired: its calls may go on for 30 s, new ones go to what is there now", async () => {
    const { reconciler, upstreams } = setUp();
    reconciler.apply([specOf("a"), specOf("b"), specOf("c")]);
    const old = upstreams.made.slice();
    const ends = old.map((upstream) => {
      let end = (): void => {};
      upstream.busy = new Promise<void>((resolve) => {
        end = resolve;
      });
      return end;
    });
    reconciler.apply([specOf("a", { version: "2" }), specOf("b", { disabled: true })]);
    expect(old.map(({ retirements }) => retirements)).toEqual([
      [[30_000, "was changed"]],
      [[30_000, "was disabled"]],
      [[30_000, "was removed"]],
    ]);
    expect(reconciler.find("a")?.upstream).toBe(upstreams.of("a"));
    expect(upstreams.of("a")).not.toBe(old[0]);
    expect([reconciler.find("b")?.upstream, reconciler.find("c")]).toEqual([undefined, undefined]);
    expect(old.map(({ disposals }) => disposals)).toEqual([0, 0, 0]);
    for (const end of ends) end();
    await settle();
    expect(old.map(({ disposals }) => disposals)).toEqual([1, 1, 1]);
  });

  test("closing ends at once what still has calls in flight, and waits for it", async () => {
    const { reconciler, upstreams } = setUp();
    reconciler.apply([specOf("a")]);
    const [old] = upstreams.made;
    let end = (): void => {};
    if (old !== undefined)
      old.busy = new Promise<void>((resolve) => {
        end = resolve;
      });
    reconciler.apply([]);
    let closed = false;
    const closing = reconciler.close().then(() => {
      closed = true;
    });
    await settle();
    expect([old?.disposals, closed]).toEqual([1, false]);
    end();
    await closing;
  });

  test("closing waits for every connector, also those that left before, and a failure is logged, not thrown", async () => {
    const { reconciler, upstreams, logger, time } = setUp();
    reconciler.apply([specOf("a"), specOf("b")]);
    await upstreams.of("b").serve("t");
    const failure = new Error("will not die");
    upstreams.of("a").disposeFailure = failure;
    await reconciler.close();
    await reconciler.close();
    expect(upstreams.made.map(({ disposals }) => disposals)).toEqual([1, 1]);
    expect(logger.lines).toContainEqual({
      level: "error",
      fields: { connectorId: "a", err: failure },
      message: "Connector did not close cleanly",
    });
    expect([reconciler.connectors, time.pending]).toEqual([[], 0]);
    await settle();
  });
});
