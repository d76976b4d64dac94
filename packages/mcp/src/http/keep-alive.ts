import type { Timers } from "@cortex-os/mcp-core";

/** Streams that get their sign of life in one turn of the event loop: one costs some 25 µs, and calls wait meanwhile. */
const IN_ONE_TURN = 64;
/** Between two such turns, in milliseconds. */
const GAP_MS = 10;
/** However many streams there are, their turns are over after this share of the interval. */
const MAX_SHARE = 0.5;

/** Sends a sign of life on every quiet stream, with one timer for all of them: few at once, many one part after the other. */
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
    if (this.#cancel === undefined) this.#later(this.#intervalMs);
    return () => {
      this.#streams.delete(beat);
      if (this.#streams.size > 0) return;
      this.#cancel?.();
      this.#cancel = undefined;
    };
  }

  #later(delayMs: number, turn: () => void = () => this.#turn([...this.#streams], 0, 0)): void {
    // One that was set in the middle of a turn, by the first of new streams.
    this.#cancel?.();
    this.#cancel = this.#timers.after(delayMs, () => {
      this.#cancel = undefined;
      turn();
    });
  }

  /** @param passedMs since the first of them had its turn */
  #turn(due: readonly (() => void)[], from: number, passedMs: number): void {
    const next = from + IN_ONE_TURN;
    for (let at = from; at < next; at += 1) {
      const beat = due[at];
      // It may have ended since.
      if (beat !== undefined && this.#streams.has(beat)) beat();
    }
    if (this.#streams.size === 0) return;
    if (next >= due.length) {
      this.#later(this.#intervalMs - passedMs);
      return;
    }
    const gapMs = gapFor(due.length, this.#intervalMs);
    this.#later(gapMs, () => this.#turn(due, next, passedMs + gapMs));
  }
}

function gapFor(streams: number, intervalMs: number): number {
  return Math.min(GAP_MS, (intervalMs * MAX_SHARE * IN_ONE_TURN) / streams);
}
