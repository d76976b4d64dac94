import { describe, expect, test } from "vitest";
import { specOf } from "../../__tests__/support/specs.js";
import { settle } from "../../__tests__/support/test-upstreams.js";
import { setUp, started, TestSource } from "./directory-set-up.js";

describe("the directory while it starts (design.md, contracts: Starting)", () => {
  test("with no connector configured at all the gate opens at once and the list is empty", async () => {
    const { directory, names, time } = await started();
    expect(directory.gate.isOpen).toBe(true);
    expect(directory.notReady()).toBeUndefined();
    expect(names()).toEqual([]);
    expect(time.pending).toBe(0);
  });

  test("with nothing but disabled connectors too", async () => {
    const { directory } = await started(specOf("a", { disabled: true }));
    expect(directory.gate.isOpen).toBe(true);
    expect(directory.notReady()).toBeUndefined();
  });

  test("the gate opens as soon as every connector has settled, up or down, with what there is", async () => {
    const { directory, upstreams, names } = await started(specOf("a"), specOf("b"), specOf("c", { disabled: true }));
    upstreams.of("b").goDown("refused");
    await settle();
    expect(directory.gate.isOpen).toBe(false);
    await upstreams.of("a").serve("x");
    await settle();
    expect(directory.gate.isOpen).toBe(true);
    expect(names()).toEqual(["a__x"]);
    expect(directory.notReady()).toBeUndefined();
  });

  test("the gate opens 2 s after the first came up, and what comes later changes the catalog", async () => {
    const { directory, upstreams, names, time } = await started(specOf("a"), specOf("b"));
    await time.advance(3_000);
    await upstreams.of("a").serve("x");
    await settle();
    await time.advance(1_999);
    expect(directory.gate.isOpen).toBe(false);
    await time.advance(1);
    expect(directory.gate.isOpen).toBe(true);
    expect(names()).toEqual(["a__x"]);
    await upstreams.of("b").serve("y");
    await settle();
    expect(names()).toEqual(["a__x", "b__y"]);
  });

  test("with none up after 20 s it is not ready, and says why of each connector: never an empty list", async () => {
    const { directory, upstreams, time } = await started(specOf("a"), specOf("b"), specOf("c", { disabled: true }));
    upstreams.of("b").goDown("refused");
    await time.advance(20_000);
    expect(directory.gate.isOpen).toBe(true);
    const error = directory.notReady();
    expect(error?.code).toBe("NOT_READY");
    expect(error?.message).toBe('No connector is up yet: connector "a" is connecting; connector "b" is down: refused');
  });

  test("a source that never answers is no reason to serve an empty list", async () => {
    const { directory, time } = setUp(new TestSource("registry", []), new TestSource("map", undefined));
    void directory.start();
    await time.advance(20_000);
    expect(directory.gate.isOpen).toBe(true);
    expect(directory.notReady()?.code).toBe("NOT_READY");
  });

  test("between a connector's first list and the catalog that holds it, it is still not ready", async () => {
    const { directory, upstreams, time, names } = await started(specOf("a"));
    await time.advance(20_000);
    const upstream = upstreams.of("a");
    upstream.goUp();
    const listed = upstream.answerList(["x"]);
    // The list is in, the catalog of it is not built yet: a client that asks right now must not get the old, empty one.
    for (let turn = 0; turn < 5; turn += 1) {
      await Promise.resolve();
      if (names().length === 0) expect(directory.notReady()?.code).toBe("NOT_READY");
    }
    await listed;
    await settle();
    expect(names()).toEqual(["a__x"]);
    expect(directory.notReady()).toBeUndefined();
  });

  test("a connector that is up and has no tools makes an empty list, which is the truth", async () => {
    const { directory, upstreams, names } = await started(specOf("a"));
    upstreams.of("a").goUp({});
    await settle();
    expect(directory.notReady()).toBeUndefined();
    expect(names()).toEqual([]);
  });

  test("once ready, a connector that goes down changes neither list nor readiness", async () => {
    const { directory, upstreams, names } = await started(specOf("a"));
    await upstreams.of("a").serve("x");
    await settle();
    upstreams.of("a").goDown("gone");
    await settle();
    expect(names()).toEqual(["a__x"]);
    expect(directory.notReady()).toBeUndefined();
    expect(directory.statuses()).toMatchObject([{ key: "a", state: "down", reason: "gone" }]);
  });
});
