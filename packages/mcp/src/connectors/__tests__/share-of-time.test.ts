import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { ShareOfTime } from "../share-of-time.js";

/** A task that takes so long by the stopwatch, though no real time passes. */
function setUp(tookMs: number) {
  const time = new ManualTime();
  let spentMs = 0;
  const runs: number[] = [];
  const monotonic = { elapsedMs: () => time.elapsedMs() + spentMs };
  const share = new ShareOfTime({ monotonic, timers: time }, () => {
    runs.push(time.elapsedMs());
    spentMs += tookMs;
  });
  return { time, share, runs };
}

describe("a share of the time", () => {
  test("a task that takes no time runs at every request, at once", () => {
    const { share, runs, time } = setUp(0);
    share.request();
    share.request();
    expect([runs.length, time.pending]).toEqual([2, 0]);
  });

  test("a task that takes long rests nine times as long, and runs once for all that was asked meanwhile", async () => {
    const { share, runs, time } = setUp(10);
    share.request();
    for (let count = 0; count < 100; count++) share.request();
    expect(time.delays).toEqual([90]);
    await time.advance(89);
    expect(runs).toEqual([0]);
    await time.advance(1);
    expect(runs).toEqual([0, 90]);
    await time.advance(1_000);
    expect([runs.length, time.pending]).toEqual([2, 0]);
  });

  test("one run that took very long, for whatever reason, does not keep the next one waiting for long (issue 4: under a second)", async () => {
    const { share, runs, time } = setUp(2_000);
    share.request();
    share.request();
    expect(time.delays).toEqual([500]);
    await time.advance(500);
    expect(runs).toEqual([0, 500]);
  });

  test("who waits runs it now, for the request that waited too", async () => {
    const { share, runs, time } = setUp(10);
    share.request();
    share.request();
    share.runNow();
    expect(runs).toEqual([0, 0]);
    await time.advance(1_000);
    expect(runs).toHaveLength(2);
  });

  test("what waits can be forgotten", async () => {
    const { share, runs, time } = setUp(10);
    share.request();
    share.request();
    share.cancel();
    await time.advance(1_000);
    expect([runs.length, time.pending]).toEqual([1, 0]);
  });
});
