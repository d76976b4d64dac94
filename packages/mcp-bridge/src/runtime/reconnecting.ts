import { backoffDelayMs, type Clock, type Monotonic, type RandomSource, type Timers } from "@cortex-os/mcp-core";

const POLICY = { baseMs: 200, maxMs: 30_000 };
/** Up for this long, an upstream is no flapping one: the next reconnect starts from the shortest delay again. */
const STABLE_MS = 10_000;
/** Between two attempts that calls to a connector that is down may cause. */
const PROBE_GAP_MS = 100;

/** What {@link Reconnecting} works through. */
export interface ReconnectingDeps {
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly timers: Timers;
  readonly random: RandomSource;
}

/** When an upstream that is away is tried again: exponential backoff with full jitter. */
export class Reconnecting {
  readonly #deps: ReconnectingDeps;
  #failures = 0;
  #upSinceMs = 0;
  #begunMs = 0;
  #cancel: () => void = () => {};

  constructor(deps: ReconnectingDeps) {
    this.#deps = deps;
  }

  /** An attempt begins; the one that waits is no longer needed. */
  begun(): void {
    this.cancel();
    this.#begunMs = this.#deps.monotonic.elapsedMs();
  }

  /** Whether the last attempt is so long ago that a call may cause another one. */
  get mayProbe(): boolean {
    return this.#deps.monotonic.elapsedMs() - this.#begunMs >= PROBE_GAP_MS;
  }

  /** It is up. */
  up(): void {
    this.#upSinceMs = this.#deps.monotonic.elapsedMs();
  }

  /** It was up and is not any more. */
  lost(): void {
    if (this.#deps.monotonic.elapsedMs() - this.#upSinceMs >= STABLE_MS) this.#failures = 0;
  }

  /** @returns how many failures came before this one */
  failed(): number {
    return this.#failures++;
  }

  /**
   * Runs `task` after the delay that belongs to this failure.
   * @returns when that will be, in milliseconds since the epoch
   */
  later(attempt: number, task: () => void): number {
    const { clock, random, timers } = this.#deps;
    const delayMs = backoffDelayMs(attempt, POLICY, random);
    this.#cancel = timers.after(delayMs, task);
    return clock.now() + delayMs;
  }

  /** Forgets the attempt that waits, if one does. */
  cancel(): void {
    this.#cancel();
  }
}
