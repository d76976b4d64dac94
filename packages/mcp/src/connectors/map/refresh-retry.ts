import { backoffDelayMs, type Clock, type RandomSource, type Timers } from "@cortex-os/mcp-core";
import type { RefreshCircuit } from "./refresh-circuit.js";

/** What a {@link RefreshRetry} works through. */
export interface RefreshRetryOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomSource;
  /** The most it waits while the circuit is closed, in milliseconds. */
  readonly intervalMs: number;
  readonly retry: () => void;
}

/** The first retry comes within this many milliseconds, and each further one within twice as many, up to the refresh interval. */
const FIRST_RETRY_MS = 1_000;

/** By how much of itself a probe may come later than the circuit allows: a fleet's probes must not come together. */
const PROBE_JITTER = 0.2;

/** The one retry that is due after failures: the next scheduled refresh may be minutes away. */
export class RefreshRetry {
  readonly #options: RefreshRetryOptions;
  #due: { readonly atMs: number; readonly cancel: () => void } | undefined;

  constructor(options: RefreshRetryOptions) {
    this.#options = options;
  }

  /** When it comes, in milliseconds since the epoch; `undefined` when none is due. */
  get dueMs(): number | undefined {
    return this.#due?.atMs;
  }

  /** In the place of the one that was due; none when nothing failed. */
  plan({ failures, retryInMs }: RefreshCircuit): void {
    this.cancel();
    if (failures === 0) return;
    const { clock, timers, random, intervalMs, retry } = this.#options;
    const backoffMs = backoffDelayMs(failures - 1, { baseMs: FIRST_RETRY_MS, maxMs: intervalMs }, random);
    const coolMs = retryInMs * (1 + PROBE_JITTER * random.next());
    const delayMs = Math.ceil(Math.max(backoffMs, coolMs));
    const cancel = timers.after(delayMs, () => {
      this.#due = undefined;
      retry();
    });
    this.#due = { atMs: clock.now() + delayMs, cancel };
  }

  cancel(): void {
    this.#due?.cancel();
    this.#due = undefined;
  }
}
