import type { Timers } from "@cortex-os/mcp-core";

/** How long a disk that refuses is left alone at most, in milliseconds, unless the interval itself is longer. */
const LONGEST_RETRY_MS = 60_000;

/** The wait for the periodic flush: an interval, and after each one that failed again twice as long. */
export class FlushTimer {
  readonly #timers: Timers;
  readonly #intervalMs: number;
  readonly #flush: () => void;
  #cancel: (() => void) | undefined;
  #waitMs: number;

  constructor(timers: Timers, intervalMs: number, flush: () => void) {
    this.#timers = timers;
    this.#intervalMs = intervalMs;
    this.#flush = flush;
    this.#waitMs = intervalMs;
  }

  /** Starts the wait, unless it runs. */
  arm(): void {
    this.#cancel ??= this.#timers.after(this.#waitMs, () => {
      this.#cancel = undefined;
      this.#flush();
    });
  }

  disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** The flush has succeeded: the next wait is an interval. */
  succeeded(): void {
    this.#waitMs = this.#intervalMs;
  }

  /** The flush that was waited for has failed, or one before it. */
  failed(): void {
    this.#waitMs = Math.max(this.#intervalMs, Math.min(LONGEST_RETRY_MS, this.#waitMs * 2));
  }
}
