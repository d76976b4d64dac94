import { LONGEST_DELAY_MS, type Timers } from "../timers.js";

/**
 * Like `systemTimers`, but a waiting timer holds the process open: for a delay inside an operation that somebody awaits
 * (a command that waits for a lock must not end in the middle of it).
 */
export const systemHoldingTimers: Timers = {
  after(delayMs, task) {
    if (!(delayMs <= LONGEST_DELAY_MS)) return () => {};
    const timer = setTimeout(task, Math.max(0, delayMs));
    return () => {
      clearTimeout(timer);
    };
  },
};
