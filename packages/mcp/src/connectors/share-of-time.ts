import type { Monotonic, Timers } from "@cortex-os/mcp-core";

/** What a {@link ShareOfTime} works through. */
export interface ShareOfTimeDeps {
  readonly monotonic: Monotonic;
  readonly timers: Timers;
}

/** After a run as many times its own length pass before the next: it takes a tenth of the time at most, as long as it takes less than 56 ms. */
const REST = 9;
/** However long a run took, the next waits no longer: one that was slow for once (the first of all, a machine that was asleep) must not make a change late by a second. */
const MAX_REST_MS = 500;

/**
 * Runs a task whenever it is requested, at once as long as it is quick; one that takes long runs less often, for all requests that came meanwhile. The last
 * request is never lost. For work that looks at everything each time something changes.
 */
export class ShareOfTime {
  readonly #deps: ShareOfTimeDeps;
  readonly #task: () => void;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #cancelWaiting: (() => void) | undefined;

  /** @param task what it throws passes through {@link request} or into the timer */
  constructor(deps: ShareOfTimeDeps, task: () => void) {
    this.#deps = deps;
    this.#task = task;
  }

  request(): void {
    if (this.#cancelWaiting !== undefined) return;
    const { monotonic, timers } = this.#deps;
    const leftMs = this.#notBeforeMs - monotonic.elapsedMs();
    if (leftMs <= 0) {
      this.runNow();
      return;
    }
    this.#cancelWaiting = timers.after(leftMs, () => {
      this.runNow();
    });
  }

  /** Runs it for all requests so far, whoever waits. */
  runNow(): void {
    this.cancel();
    const { monotonic } = this.#deps;
    const startedMs = monotonic.elapsedMs();
    this.#task();
    const endedMs = monotonic.elapsedMs();
    this.#notBeforeMs = endedMs + Math.min(REST * (endedMs - startedMs), MAX_REST_MS);
  }

  /** Forgets the run that waits, if one does. */
  cancel(): void {
    this.#cancelWaiting?.();
    this.#cancelWaiting = undefined;
  }
}
