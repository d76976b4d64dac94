import { systemRandom } from "@cortex-os/mcp-core";
import { ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { specOf } from "../../__tests__/support/specs.js";
import { settle, TestUpstreams } from "../../__tests__/support/test-upstreams.js";
import { Reconciler } from "../reconciler.js";
import { startRule, type StartWidth } from "../start-width.js";

function setUp(width?: StartWidth) {
  const time = new ManualTime();
  const logger = new RecordingLogger();
  const upstreams = new TestUpstreams();
  const reconciler = new Reconciler({
    createUpstream: upstreams.create,
    clock: time,
    monotonic: time,
    timers: time,
    random: systemRandom,
    logger,
    onChange: () => {},
    onSync: () => {},
    ...(width === undefined ? {} : { width }),
  });
  return { time, logger, upstreams, reconciler };
}

const KEYS = ["a", "b", "c", "d", "e", "f"];
const specs = (...keys: string[]) => keys.map((key) => specOf(key));

/** The connectors whose upstream was told to connect. */
const begun = ({ made }: TestUpstreams): string[] =>
  made.filter(({ connects }) => connects > 0).map(({ spec }) => spec.key);

/** Tells whether waiting for all of them is over. */
function watch(reconciler: Reconciler): { over: boolean } {
  const seen = { over: false };
  void reconciler.whenSettled().then(() => {
    seen.over = true;
  });
  return seen;
}

describe("R6: connectors that start a few at a time", () => {
  test("are as many as allowed, in order; one that comes up or goes down makes room for the next", async () => {
    const { reconciler, upstreams } = setUp(2);
    reconciler.apply(specs(...KEYS));
    const seen = watch(reconciler);
    await settle();
    expect(begun(upstreams)).toEqual(["a", "b"]);
    upstreams.of("b").goDown("refused");
    await settle();
    expect(begun(upstreams)).toEqual(["a", "b", "c"]);
    await upstreams.of("a").serve("t");
    expect(begun(upstreams)).toEqual(["a", "b", "c", "d"]);
    for (const key of ["c", "d", "e", "f"]) {
      expect(seen.over).toBe(false);
      await upstreams.of(key).serve("t");
      await settle();
    }
    expect(begun(upstreams)).toEqual(KEYS);
    expect(seen.over).toBe(true);
  });

  test("one that is up but does not list keeps its place until it does", async () => {
    const { reconciler, upstreams } = setUp(1);
    reconciler.apply(specs("a", "b"));
    await settle();
    upstreams.of("a").goUp();
    await settle();
    expect(begun(upstreams)).toEqual(["a"]);
    await upstreams.of("a").answerList(["t"]);
    expect(begun(upstreams)).toEqual(["a", "b"]);
  });

  test("one whose upstream never says anything loses its place after its own time-outs, is logged, and can still come up", async () => {
    const { reconciler, upstreams, time, logger } = setUp(1);
    reconciler.apply([specOf("a", { timeouts: { connectMs: 5, listMs: 30, callMs: 1, callMaxMs: 1, startMs: 60 } })]);
    reconciler.apply([...reconciler.connectors.map(({ spec }) => spec), specOf("b")]);
    const seen = watch(reconciler);
    await time.advance(34);
    expect(begun(upstreams)).toEqual(["a"]);
    await time.advance(1);
    await settle();
    expect(begun(upstreams)).toEqual(["a", "b"]);
    expect(logger.lines.filter(({ level }) => level === "warn")).toMatchObject([
      {
        fields: { connectorId: "a", err: { message: 'Connector "a" has not settled within 35 ms' } },
        message: "Connector sync failed",
      },
    ]);
    await upstreams.of("b").serve("t");
    expect(seen.over).toBe(true);
    await upstreams.of("a").serve("t");
    expect(reconciler.find("a")?.isUp).toBe(true);
  });

  test("a child process has its start time-out instead", async () => {
    const { reconciler, time } = setUp(1);
    const transport = { kind: "stdio", command: "x", args: [], env: {} } as const;
    const timeouts = { connectMs: 5, listMs: 30, callMs: 1, callMaxMs: 1, startMs: 60 };
    reconciler.apply([specOf("a", { transport, timeouts })]);
    await settle();
    expect(time.delays).toEqual([90]);
  });

  test("one that left or was replaced while it waited in line is never started", async () => {
    const { reconciler, upstreams } = setUp(1);
    reconciler.apply(specs("a", "b", "c"));
    reconciler.apply([specOf("a"), specOf("c", { isolation: "session" })]);
    await settle();
    await upstreams.of("a").serve("t");
    await settle();
    expect(upstreams.made.map(({ spec, connects }) => [spec.key, spec.isolation, connects])).toEqual([
      ["a", "shared", 1],
      ["b", "shared", 0],
      ["c", "shared", 0],
      ["c", "session", 1],
    ]);
  });

  test("closing ends the waiting, starts nobody from the line and leaves no timer", async () => {
    const { reconciler, upstreams, time } = setUp(1);
    reconciler.apply(specs("a", "b"));
    await settle();
    const seen = watch(reconciler);
    await reconciler.close();
    await settle();
    expect([begun(upstreams), seen.over, time.pending]).toEqual([["a"], true, 0]);
  });

  test("a width that is none is refused", () => {
    expect(() => setUp(0)).toThrow(TypeError);
    expect(() => setUp(Number.NaN)).toThrow(TypeError);
  });
});

describe("R18: connectors that start as many at a time as is of use", () => {
  test("all begin in the same turn, and are waited for", async () => {
    const { reconciler, upstreams, time } = setUp();
    reconciler.apply(specs(...KEYS));
    expect(begun(upstreams)).toEqual(KEYS);
    const seen = watch(reconciler);
    for (const key of KEYS) {
      expect(seen.over).toBe(false);
      upstreams.of(key).goDown("refused");
      await settle();
    }
    expect([seen.over, time.pending]).toEqual([true, 0]);
  });

  test("children wait for children only, and one that hangs keeps its place for a second and no more", async () => {
    const { reconciler, upstreams, time } = setUp("adaptive");
    const { places } = startRule("adaptive").child;
    const transport = { kind: "stdio", command: "x", args: [], env: {} } as const;
    const children = Array.from({ length: places + 1 }, (_, at) => specOf(`child-${at}`, { transport }));
    reconciler.apply([...children, ...specs("web")]);
    expect(begun(upstreams)).toHaveLength(places + 1);
    expect(upstreams.of("web").connects).toBe(1);
    expect(upstreams.of(`child-${places}`).connects).toBe(0);
    await time.advance(1_000);
    expect(upstreams.of(`child-${places}`).connects).toBe(1);
    await reconciler.close();
  });

  test("one that is disabled takes no place", () => {
    const { reconciler, upstreams } = setUp(1);
    reconciler.apply([specOf("a", { disabled: true }), specOf("b")]);
    expect(begun(upstreams)).toEqual(["b"]);
  });
});

describe("R6: connectors that are told to try again", () => {
  test.each(["adaptive", 1] as const)("only those that are down do (width %s)", async (width) => {
    const { reconciler, upstreams } = setUp(width);
    reconciler.apply([...specs("a", "b", "c"), specOf("d", { disabled: true })]);
    await settle();
    await upstreams.of("a").serve("t");
    await settle();
    upstreams.of("b").goDown("refused");
    await settle();
    expect(reconciler.failed.map(({ key }) => key)).toEqual(["b"]);
    reconciler.retry(reconciler.failed);
    await settle();
    upstreams.of("c").goDown("refused");
    await settle();
    expect(upstreams.made.map(({ connects }) => connects)).toEqual([1, 2, 1]);
    await reconciler.whenSettled();
  });

  test("a thousand times while it waits in line is once, and one that was replaced stays quiet", async () => {
    const { reconciler, upstreams } = setUp(1);
    reconciler.apply(specs("a", "b"));
    await settle();
    upstreams.of("a").goDown("refused");
    await settle();
    const { failed } = reconciler;
    for (let times = 0; times < 1_000; times += 1) reconciler.retry(failed);
    upstreams.of("b").goDown("refused");
    await reconciler.whenSettled();
    expect(upstreams.of("a").connects).toBe(2);
    const old = upstreams.of("a");
    reconciler.apply([specOf("a", { isolation: "session" }), specOf("b")]);
    reconciler.retry(failed);
    await settle();
    expect(old.connects).toBe(2);
    await reconciler.close();
  });
});
