import type { Clock, Monotonic } from "../clock.js";

/** The machine's wall clock. */
export const systemClock: Clock = { now: () => Date.now() };

/** The machine's monotonic clock. */
export const systemMonotonic: Monotonic = { elapsedMs: () => performance.now() };
