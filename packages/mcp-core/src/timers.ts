/** The longest delay a timer can have, in milliseconds: `setTimeout` fires at once beyond it. */
export const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** Runs tasks later. A port of its own, so that tests own time (R17). */
export interface Timers {
  /**
   * Runs `task` once after `delayMs` milliseconds.
   *
   * A timer does not keep the process alive. A negative delay is none; one beyond 2³¹ − 1 ms (about 24.8 days) or
   * `NaN` never fires.
   * @returns a function that cancels the task; it may be called twice and after the task ran.
   */
  after(delayMs: number, task: () => void): () => void;
}
