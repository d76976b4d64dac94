import type { Timers } from "@cortex-os/mcp-core";

/** Sends a sign of life on every quiet stream, with one timer for all of them. */
export class KeepAlive {
  readonly #timers: Timers;
  readonly #intervalMs: number;
  readonly #streams = new Set<() => void>();
  #cancel: (() => void) | undefined;

  /** @param intervalMs well under the idle time-out of common proxies (60 s) */
  constructor(timers: Timers, intervalMs = 15_000) {
    this.#timers = timers;
    this.#intervalMs = intervalMs;
  }

  /** Calls `beat` once an interval; the returned function ends that. */
  add(beat: () => void): () => void {
    this.#streams.add(beat);
    this.#schedule();
    return () => {
      this.#streams.delete(beat);
      if (this.#streams.size > 0) return;
      this.#cancel?.();
      this.#cancel = undefined;
    };
  }

  #schedule(): void {
    this.#cancel ??= this.#timers.after(this.#intervalMs, () => {
      this.#cancel = undefined;
      for (const beat of [...this.#streams]) beat();
      if (this.#streams.size > 0) this.#schedule();
    });
  }
}
