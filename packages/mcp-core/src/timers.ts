/** Runs tasks later. A port of its own, so that tests own time (R17). */
export interface Timers {
  /**
   * Runs `task` once after `delayMs` milliseconds.
   *
   * A timer does not keep the process alive. Delays beyond 2³¹ − 1 ms never fire (about 24.8 days).
   * @returns a function that cancels the task; it may be called twice and after the task ran.
   */
  after(delayMs: number, task: () => void): () => void;
}
