import { describe, expect, test, vi } from "vitest";
import { describeTimers } from "../../__tests__/describe-timers.js";
import { systemHoldingTimers } from "../system-holding-timers.js";
import { systemTimers } from "../system-timers.js";

// Fake timers move them, although the modules were loaded before those were there: the global is looked up at call time.
describe.each([
  ["systemTimers", systemTimers, false],
  ["systemHoldingTimers", systemHoldingTimers, true],
] as const)("%s", (name, timers, holds) => {
  describeTimers(`${name} under fake timers`, () => {
    vi.useFakeTimers();
    return {
      timers,
      advance: async (deltaMs) => {
        await vi.advanceTimersByTimeAsync(deltaMs);
      },
      pending: () => vi.getTimerCount(),
      close: () => {
        vi.useRealTimers();
      },
    };
  });

  test("runs a task on the real clock", async () => {
    const task = vi.fn<() => void>();
    timers.after(1, task);
    await vi.waitFor(() => {
      expect(task).toHaveBeenCalledTimes(1);
    });
  });

  test(`${holds ? "holds" : "does not hold"} the process open while it waits (style 7)`, () => {
    const set = vi.spyOn(globalThis, "setTimeout");
    const cancel = timers.after(60_000, () => {});
    const [handle] = set.mock.results.map(({ value }) => value as NodeJS.Timeout);
    expect(handle?.hasRef()).toBe(holds);
    cancel();
  });
});
