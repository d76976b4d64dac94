import { systemTimers, type Timers } from "@cortex-os/mcp-core";

/** How long a child may take to end by itself. */
const GRACE_MS = 2_000;
const SHORT_GRACE_MS = 50;

/** The machine's timers, but for those with which it is looked whether a child is idle: those are in the hands of the test. Children that do not end are not waited for long. */
export class LookTimers implements Timers {
  readonly idleMs = 400_000;
  readonly #held = new Set<() => void>();

  /** How many looks are still to come: a leak check. */
  get waiting(): number {
    return this.#held.size;
  }

  after(delayMs: number, task: () => void): () => void {
    if (delayMs !== this.idleMs / 4) return systemTimers.after(delayMs === GRACE_MS ? SHORT_GRACE_MS : delayMs, task);
    this.#held.add(task);
    return () => void this.#held.delete(task);
  }

  /** Lets a quarter of the idle time pass, so many times. */
  look(times = 1): void {
    for (let time = 0; time < times; time += 1) {
      for (const task of [...this.#held]) {
        this.#held.delete(task);
        task();
      }
    }
  }
}
