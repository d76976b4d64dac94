import { LONGEST_DELAY_MS } from "@cortex-os/mcp-core";
import { fixedRandom, ManualTime } from "@cortex-os/mcp-core/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { jitteredDelayMs, RefreshScheduler } from "../refresh-scheduler.js";
import { FIVE_MINUTES, Refresh, scheduler, seededRandom } from "./refresh-scheduler-set-up.js";

afterEach(() => {
  vi.useRealTimers();
});

describe("R5: when it refreshes", () => {
  test("R5, R19 happy: every five minutes, the first time after one interval", async () => {
    const { time, onRefresh, scheduler: it } = scheduler();
    it.start();
    expect(it.nextRefreshAtMs).toBe(time.now() + FIVE_MINUTES);
    await time.advance(FIVE_MINUTES - 1);
    expect(onRefresh).not.toHaveBeenCalled();
    await time.advance(1);
    expect(onRefresh).toHaveBeenCalledTimes(1);
    await time.advance(11 * FIVE_MINUTES);
    expect(onRefresh).toHaveBeenCalledTimes(12);
    expect(it.nextRefreshAtMs).toBe(time.now() + FIVE_MINUTES);
  });

  test.each([
    [0, 240_000],
    [0.25, 270_000],
    [0.5, 300_000],
    [0.999_999, 359_999],
  ])("R5, R19 jitter of ±20 %%: chance %d gives a delay of %d ms", (chance, delayMs) => {
    const { time, scheduler: it } = scheduler({ random: fixedRandom(chance) });
    it.start();
    expect(time.delays).toEqual([delayMs]);
  });

  test("R5: the delay is floor(interval × (1 + (chance × 2 − 1) × jitter)), at least 1 and at most what a timer can wait", () => {
    expect(jitteredDelayMs(1_001, 0.1, 0.3)).toBe(960);
    expect(jitteredDelayMs(1_000, 0, 0.9)).toBe(1_000);
    expect(jitteredDelayMs(1, 0.2, 0)).toBe(1);
    expect(jitteredDelayMs(LONGEST_DELAY_MS, 0.2, 0.999)).toBe(LONGEST_DELAY_MS);
    expect(jitteredDelayMs(Number.POSITIVE_INFINITY, 0.2, 0.1)).toBe(LONGEST_DELAY_MS);
  });

  test.each([0, -1, Number.NaN, Number.NEGATIVE_INFINITY, 0.4])(
    "R5, R19 boundary: an interval of %d is clamped to a second at most, and never spun",
    async (intervalMs) => {
      for (const chance of [0, 0.5, 0.999_999]) {
        const { time, onRefresh, scheduler: it } = scheduler({ intervalMs, random: fixedRandom(chance) });
        it.start();
        await time.advance(1_000);
        expect(onRefresh).toHaveBeenCalledTimes(1);
        await time.advance(60_000);
        expect(onRefresh.mock.calls.length).toBeLessThan(100);
      }
    },
  );

  test.each([2 ** 31, 1e12, Number.POSITIVE_INFINITY])(
    "R5: an interval of %d ms, which would fire at once, is the longest there is",
    async (intervalMs) => {
      const { time, scheduler: it, onRefresh } = scheduler({ intervalMs });
      it.start();
      expect(time.delays).toEqual([LONGEST_DELAY_MS]);
      await time.advance(LONGEST_DELAY_MS);
      expect(onRefresh).toHaveBeenCalledTimes(1);
    },
  );

  test.each([1, 1.5, -0.1, Number.NaN, Number.POSITIVE_INFINITY])(
    "R5: a jitterFactor of %d is refused",
    (jitterFactor) => {
      expect(() => scheduler({ jitterFactor })).toThrow(
        new RangeError(`jitterFactor must be a number in [0, 1), got ${jitterFactor}`),
      );
    },
  );

  test("R5: 100 gateways of one start spread out: no second of a day holds more than 5 % of a round", async () => {
    const time = new ManualTime(0);
    const fetches = new Map<number, number>();
    const random = seededRandom(3);
    for (let n = 0; n < 100; n += 1) {
      const onRefresh = (): void => {
        const second = Math.floor(time.now() / 1_000);
        fetches.set(second, (fetches.get(second) ?? 0) + 1);
      };
      const logger = { info: () => {}, warn: () => {} };
      new RefreshScheduler({ intervalMs: FIVE_MINUTES, onRefresh, logger, clock: time, timers: time, random }).start();
    }
    await time.advance(86_400_000);
    const all = [...fetches.values()].reduce((sum, each) => sum + each, 0);
    expect(all).toBeGreaterThan(28_000);
    expect(Math.max(...fetches.values())).toBeLessThanOrEqual(5);
  });
});

describe("R5: start, stop, start", () => {
  test("R5, R19 idempotency: starting twice arms one timer, stopping twice is one stop, in any order", async () => {
    const { time, onRefresh, scheduler: it } = scheduler();
    it.stop();
    it.start();
    it.start();
    expect(time.pending).toBe(1);
    it.stop();
    it.stop();
    expect(time.pending).toBe(0);
    it.start();
    await time.advance(FIVE_MINUTES);
    expect(onRefresh).toHaveBeenCalledTimes(1);
    expect(time.pending).toBe(1);
  });

  test("R5, R19 cancellation: stop clears the timer", async () => {
    const { time, onRefresh, scheduler: it } = scheduler();
    it.start();
    it.stop();
    expect([time.pending, it.nextRefreshAtMs]).toEqual([0, undefined]);
    await time.advance(10 * FIVE_MINUTES);
    expect(onRefresh).not.toHaveBeenCalled();
  });

  test("R5: stopped during a refresh, that one ends and nothing follows", async () => {
    const refresh = new Refresh();
    const { time, logger, scheduler: it } = scheduler({ onRefresh: refresh.run });
    it.start();
    await time.advance(FIVE_MINUTES);
    it.stop();
    refresh.end();
    await time.advance(10 * FIVE_MINUTES);
    expect([refresh.calls, time.pending]).toEqual([1, 0]);
    expect(logger.messages("info")).toEqual(["Refresh completed"]);
  });

  test("R5: stopped and started during a refresh, there is one timer after it and none before", async () => {
    const refresh = new Refresh();
    const { time, scheduler: it } = scheduler({ onRefresh: refresh.run });
    it.start();
    await time.advance(FIVE_MINUTES);
    it.stop();
    it.start();
    it.start();
    expect([time.pending, it.nextRefreshAtMs]).toEqual([0, undefined]);
    refresh.end();
    await time.advance(0);
    expect(time.pending).toBe(1);
    await time.advance(FIVE_MINUTES);
    expect(refresh.calls).toBe(2);
    refresh.end();
  });

  test("R5: the interval counts from the end of a refresh, however long it takes", async () => {
    const refresh = new Refresh();
    const { time, scheduler: it } = scheduler({ onRefresh: refresh.run });
    it.start();
    await time.advance(4 * FIVE_MINUTES);
    expect(refresh.calls).toBe(1);
    refresh.end();
    await time.advance(0);
    expect(time.delays).toEqual([FIVE_MINUTES]);
  });

  test("R5, R19 time skew: a wall clock that jumps delays no refresh", async () => {
    const { time, onRefresh, scheduler: it } = scheduler();
    it.start();
    time.jump(-86_400_000);
    await time.advance(FIVE_MINUTES);
    expect(onRefresh).toHaveBeenCalledTimes(1);
  });
});

describe("R17: with nothing injected", () => {
  test("R5, R17: it takes Node's timers as they are at the time: fake ones work, and it calls onRefresh when they fire", async () => {
    const onRefresh = vi.fn<() => Promise<void>>(async () => {});
    const logger = { info: () => {}, warn: () => {} };
    const it = new RefreshScheduler({ intervalMs: 1_000, onRefresh, logger });
    vi.useFakeTimers();
    it.start();
    vi.advanceTimersByTime(799);
    expect(onRefresh).not.toHaveBeenCalled();
    vi.advanceTimersByTime(401);
    expect(onRefresh).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1_200);
    expect(onRefresh.mock.calls.length).toBeGreaterThanOrEqual(2);
    it.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
