import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { Brake, type BrakePolicy } from "../brake.js";

function setUp(policy: BrakePolicy) {
  const time = new ManualTime();
  const ranAt: number[] = [];
  const brake = new Brake({ monotonic: time, timers: time }, policy, () => ranAt.push(time.elapsedMs()));
  return { time, ranAt, brake };
}

describe("a brake (R17)", () => {
  test("runs the first request at once and one more after the gap, however many came meanwhile", async () => {
    const { time, ranAt, brake } = setUp({ gapMs: 1_000, maxGapMs: 1_000 });
    for (let request = 0; request < 50; request += 1) {
      brake.request();
      await time.advance(10);
    }
    expect(ranAt).toEqual([0]);
    await time.advance(10_000);
    expect(ranAt).toEqual([0, 1_000]);
    expect(time.pending).toBe(0);
  });

  test("keeps the gap when it may not grow", async () => {
    const { time, ranAt, brake } = setUp({ gapMs: 1_000, maxGapMs: 1_000 });
    for (let request = 0; request < 50; request += 1) {
      brake.request();
      await time.advance(100);
    }
    expect(ranAt).toEqual([0, 1_000, 2_000, 3_000, 4_000, 5_000]);
  });

  test("doubles the gap while requests keep coming, up to its bound, and starts over after a gap without any", async () => {
    const { time, ranAt, brake } = setUp({ gapMs: 1_000, maxGapMs: 60_000 });
    brake.request();
    while (ranAt.length < 9) {
      brake.request();
      const [delay = 0] = time.delays;
      await time.advance(delay);
    }
    const gaps = ranAt.slice(1).map((at, run) => at - (ranAt[run] ?? 0));
    expect(gaps).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    await time.advance(59_999);
    brake.request();
    expect(time.delays).toEqual([1]);
    await time.advance(1);
    await time.advance(60_000);
    brake.request();
    expect(time.pending).toBe(0);
    expect(ranAt).toHaveLength(11);
    brake.request();
    expect(time.delays).toEqual([1_000]);
  });

  test("counts the gap from when the task ended, when it is told", async () => {
    const { time, ranAt, brake } = setUp({ gapMs: 1_000, maxGapMs: 1_000 });
    brake.request();
    await time.advance(5_000);
    brake.ended();
    brake.request();
    expect(ranAt).toEqual([0]);
    await time.advance(1_000);
    expect(ranAt).toEqual([0, 6_000]);
  });

  test("runs nothing more once cancelled, until it is requested again", async () => {
    const { time, ranAt, brake } = setUp({ gapMs: 1_000, maxGapMs: 1_000 });
    brake.request();
    brake.request();
    brake.cancel();
    brake.cancel();
    expect(time.pending).toBe(0);
    await time.advance(2_000);
    expect(ranAt).toEqual([0]);
    brake.request();
    expect(ranAt).toEqual([0, 2_000]);
  });
});
