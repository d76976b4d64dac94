import { describe, expect, test, vi } from "vitest";
import { describeTimers } from "../../__tests__/describe-timers.js";
import { ManualTime } from "../manual-time.js";

describeTimers("ManualTime", () => {
  const time = new ManualTime();
  return { timers: time, advance: (deltaMs) => time.advance(deltaMs), pending: () => time.pending };
});

describe("ManualTime", () => {
  test("starts where it is told and moves both clocks together", async () => {
    const time = new ManualTime(1_000);
    expect([time.now(), time.elapsedMs()]).toEqual([1_000, 0]);
    await time.advance(250);
    expect([time.now(), time.elapsedMs()]).toEqual([1_250, 250]);
    expect(new ManualTime().now()).toBe(1_700_000_000_000);
  });

  test("jump moves the wall clock alone, back as well, and makes no timer due", async () => {
    const time = new ManualTime(1_000);
    const task = vi.fn<() => void>();
    time.after(100, task);
    time.jump(-500);
    expect([time.now(), time.elapsedMs()]).toEqual([500, 0]);
    time.jump(1_000_000);
    expect(task).not.toHaveBeenCalled();
    await time.advance(100);
    expect(task).toHaveBeenCalledTimes(1);
    expect([time.now(), time.elapsedMs()]).toEqual([1_000_600, 100]);
  });

  test("says how many timers wait and how long, soonest first", async () => {
    const time = new ManualTime();
    const cancel = time.after(300, () => {});
    time.after(100, () => {});
    time.after(-1, () => {});
    expect(time.delays).toEqual([0, 100, 300]);
    await time.advance(50);
    expect(time.delays).toEqual([50, 250]);
    cancel();
    expect(time.pending).toBe(1);
  });

  test("shows each task its own time, and runs what tasks start while they still fall within the advance", async () => {
    const time = new ManualTime(0);
    const seen: number[] = [];
    const again = (): void => {
      seen.push(time.now());
      time.after(40, again);
    };
    time.after(40, again);
    await time.advance(130);
    expect(seen).toEqual([40, 80, 120]);
    expect(time.now()).toBe(130);
    expect(time.delays).toEqual([30]);
  });

  test("lets promises settle before the first task and between two", async () => {
    const time = new ManualTime(0);
    const seen: string[] = [];
    void (async () => {
      await Promise.resolve();
      time.after(10, () => {
        seen.push("one");
        void Promise.resolve()
          .then(() => Promise.resolve())
          .then(() => time.after(5, () => seen.push("from a promise of one")));
      });
    })();
    time.after(20, () => seen.push("two"));
    await time.advance(20);
    expect(seen).toEqual(["one", "from a promise of one", "two"]);
  });

  test("passes on what a task throws, at that task's time", async () => {
    const time = new ManualTime(0);
    time.after(10, () => {
      throw new Error("task failed");
    });
    await expect(time.advance(20)).rejects.toThrow("task failed");
    expect(time.now()).toBe(10);
    expect(time.pending).toBe(0);
  });

  test("does not run backwards when two advances overlap", async () => {
    const time = new ManualTime(0);
    await Promise.all([time.advance(1_000), time.advance(10)]);
    expect([time.now(), time.elapsedMs()]).toEqual([1_000, 1_000]);
  });

  test.each([-1, Number.NaN])("refuses to advance by %d", async (deltaMs) => {
    await expect(new ManualTime().advance(deltaMs)).rejects.toThrow(
      new RangeError(`deltaMs must be a number of milliseconds >= 0, got ${deltaMs}`),
    );
  });
});
