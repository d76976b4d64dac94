import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LONGEST_DELAY_MS, type Timers } from "../timers.js";

/** A {@link Timers} whose time a test owns. */
export interface TimersUnderTest {
  readonly timers: Timers;
  readonly advance: (deltaMs: number) => Promise<void>;
  /** How many timers wait. */
  readonly pending: () => number;
  readonly close?: () => void;
}

/** What every {@link Timers} owes its callers. */
export function describeTimers(name: string, create: () => TimersUnderTest): void {
  describe(`${name} keeps the Timers contract (R17)`, () => {
    let subject: TimersUnderTest;
    beforeEach(() => {
      subject = create();
    });
    afterEach(() => {
      const leaked = subject.pending();
      subject.close?.();
      if (leaked > 0) throw new Error(`the test left ${leaked} timer(s) waiting`);
    });

    test("runs a task once, when its delay is over and not before", async () => {
      const task = vi.fn<() => void>();
      subject.timers.after(100, task);
      await subject.advance(99);
      expect(task).not.toHaveBeenCalled();
      await subject.advance(1);
      await subject.advance(1_000);
      expect(task).toHaveBeenCalledTimes(1);
    });

    test("runs tasks in the order they fall due, and those due together in the order they came", async () => {
      const ran: string[] = [];
      subject.timers.after(20, () => ran.push("late"));
      subject.timers.after(10, () => ran.push("first"));
      subject.timers.after(10, () => ran.push("second"));
      await subject.advance(20);
      expect(ran).toEqual(["first", "second", "late"]);
    });

    test("cancels, twice too, and after the task ran", async () => {
      const [cancelled, ran] = [vi.fn<() => void>(), vi.fn<() => void>()];
      const cancel = subject.timers.after(10, cancelled);
      const cancelLate = subject.timers.after(10, ran);
      cancel();
      cancel();
      await subject.advance(10);
      cancelLate();
      expect(cancelled).not.toHaveBeenCalled();
      expect(ran).toHaveBeenCalledTimes(1);
    });

    test("takes a negative delay for none", async () => {
      const task = vi.fn<() => void>();
      subject.timers.after(-5, task);
      expect(task).not.toHaveBeenCalled();
      await subject.advance(1);
      expect(task).toHaveBeenCalledTimes(1);
    });

    test.each([LONGEST_DELAY_MS + 1, Number.POSITIVE_INFINITY, Number.NaN])(
      "never runs a task after %d ms",
      async (delayMs) => {
        const task = vi.fn<() => void>();
        const cancel = subject.timers.after(delayMs, task);
        expect(subject.pending()).toBe(0);
        await subject.advance(LONGEST_DELAY_MS + 2);
        expect(task).not.toHaveBeenCalled();
        cancel();
      },
    );

    test("runs a task after the longest delay there is", async () => {
      const task = vi.fn<() => void>();
      subject.timers.after(LONGEST_DELAY_MS, task);
      await subject.advance(LONGEST_DELAY_MS - 1);
      expect(task).not.toHaveBeenCalled();
      await subject.advance(1);
      expect(task).toHaveBeenCalledTimes(1);
    });
  });
}
