import type { Timers } from "../timers.js";

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Node's timers. The global is looked up at each call, so that a test runner's fake timers work (R17).
 * The handle is unref'd: a background timer must not hold the process open.
 */
export const systemTimers: Timers = {
  after(delayMs, task) {
    // setTimeout fires at once beyond this bound; a timer that far away is as good as none.
    if (delayMs > LONGEST_TIMER_MS) return () => {};
    const timer = setTimeout(task, delayMs);
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
