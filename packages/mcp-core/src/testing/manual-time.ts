import type { Clock, Monotonic } from "../clock.js";
import { LONGEST_DELAY_MS, type Timers } from "../timers.js";

interface Pending {
  readonly dueMs: number;
  readonly task: () => void;
}

/** A clock, a stopwatch and timers that move only when a test says so. */
export class ManualTime implements Clock, Monotonic, Timers {
  readonly #pending = new Set<Pending>();
  #nowMs: number;
  #elapsedMs = 0;

  /** @param startMs the wall-clock time at the start, in milliseconds since the epoch */
  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  elapsedMs(): number {
    return this.#elapsedMs;
  }

  /** How many timers wait: a leak check. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Milliseconds until each waiting timer is due, soonest first. */
  get delays(): number[] {
    return [...this.#pending].map(({ dueMs }) => dueMs - this.#elapsedMs).toSorted((a, b) => a - b);
  }

  after(delayMs: number, task: () => void): () => void {
    if (!(delayMs <= LONGEST_DELAY_MS)) return () => {};
    const pending = { dueMs: this.#elapsedMs + Math.max(0, delayMs), task };
    this.#pending.add(pending);
    return () => {
      this.#pending.delete(pending);
    };
  }

  /** Moves the wall clock alone, as an operator or NTP does. */
  jump(deltaMs: number): void {
    this.#nowMs += deltaMs;
  }

  /**
   * Moves all clocks on and runs what falls due, in order, letting promises settle between two tasks. What a task throws passes
   * through. Wait for one call before the next: of two at once, the clocks end where the later one does.
   * @throws RangeError for a negative `deltaMs` or none: only {@link jump} goes back
   */
  async advance(deltaMs: number): Promise<void> {
    if (!(deltaMs >= 0)) throw new RangeError(`deltaMs must be a number of milliseconds >= 0, got ${deltaMs}`);
    const until = this.#elapsedMs + deltaMs;
    await settle();
    for (let next = this.#nextDue(until); next !== undefined; next = this.#nextDue(until)) {
      this.#move(next.dueMs);
      this.#pending.delete(next);
      next.task();
      await settle();
    }
    this.#move(until);
  }

  #move(toMs: number): void {
    const byMs = Math.max(0, toMs - this.#elapsedMs);
    this.#nowMs += byMs;
    this.#elapsedMs += byMs;
  }

  #nextDue(until: number): Pending | undefined {
    let next: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.dueMs <= until && (next === undefined || pending.dueMs < next.dueMs)) next = pending;
    }
    return next;
  }
}

/** Lets promises that are ready settle, with whatever they start. */
async function settle(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}
