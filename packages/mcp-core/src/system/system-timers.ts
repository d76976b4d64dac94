import { LONGEST_DELAY_MS, type Timers } from "../timers.js";

/**
 * Node's timers. The global is looked up at each call, so that a test runner's fake timers work (R17).
 * The handle is unref'd: a background timer must not hold the process open.
 */
export const systemTimers: Timers = {
  after(delayMs, task) {
    // setTimeout would fire at once beyond the bound; a timer that far away is as good as none. NaN fails the comparison too.
    if (!(delayMs <= LONGEST_DELAY_MS)) return () => {};
    const timer = setTimeout(task, Math.max(0, delayMs));
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
