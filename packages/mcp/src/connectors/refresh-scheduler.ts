import {
  BRAND,
  LONGEST_DELAY_MS,
  messageOf,
  systemClock,
  systemRandom,
  systemTimers,
  type Clock,
  type Logger,
  type RandomSource,
  type Timers,
} from "@cortex-os/mcp-core";

export type { Clock, RandomSource } from "@cortex-os/mcp-core";

/** What a {@link RefreshScheduler} does, how often, and through which ports. */
export interface RefreshSchedulerOptions {
  /** From the end of one refresh to the next, in milliseconds. Below 1, or `NaN`: one second at most; 2³¹ − 1 is the most there is. */
  readonly intervalMs: number;
  /** By how much of itself a delay may be shorter or longer, in [0, 1). @default 0.2 */
  readonly jitterFactor?: number;
  /** The refresh; whatever it throws or rejects with is logged. It must not wait for {@link RefreshScheduler.forceRefresh}, which waits for it. */
  readonly onRefresh: () => Promise<void> | void;
  /** No other method of it is used. */
  readonly logger: Pick<Logger, "info" | "warn">;
  /** @default the machine's */
  readonly clock?: Clock;
  /** @default the machine's */
  readonly random?: RandomSource;
  /** @default Node's, which do not hold the process open */
  readonly timers?: Timers;
}

/** The longest delay in milliseconds when the interval is none (R5): seldom enough to harm nobody. */
const CLAMPED_MS = 1_000;

/**
 * The delay before the next refresh: `floor(intervalMs × (1 + (chance × 2 − 1) × jitterFactor))` (R5), at least 1 ms and at most what a timer can
 * wait, where it would fire at once beyond.
 *
 * @param chance in [0, 1)
 */
export function jitteredDelayMs(intervalMs: number, jitterFactor: number, chance: number): number {
  const delayMs = Math.floor(intervalMs * (1 + (chance * 2 - 1) * jitterFactor));
  return Math.min(Math.max(delayMs, 1), LONGEST_DELAY_MS);
}

/**
 * Runs a refresh again and again, each time after a jittered interval, so that a fleet that was started together does not ask together (R5).
 *
 * There is at most one pending timer and at most one refresh in flight: a refresh that is asked for while one runs is that one.
 */
export class RefreshScheduler {
  readonly #intervalMs: number;
  readonly #jitterFactor: number;
  readonly #onRefresh: () => Promise<void> | void;
  readonly #logger: Pick<Logger, "info" | "warn">;
  readonly #clock: Clock;
  readonly #random: RandomSource;
  readonly #timers: Timers;
  #started = false;
  #inFlight: Promise<void> | undefined;
  #waiting: { readonly dueMs: number; readonly cancel: () => void } | undefined;

  /** @throws RangeError when `jitterFactor` is not in [0, 1) */
  constructor(options: RefreshSchedulerOptions) {
    const { intervalMs, jitterFactor = 0.2 } = options;
    if (!(jitterFactor >= 0 && jitterFactor < 1)) {
      throw new RangeError(`jitterFactor must be a number in [0, 1), got ${String(jitterFactor)}`);
    }
    this.#jitterFactor = jitterFactor;
    this.#intervalMs = intervalMs >= 1 ? intervalMs : CLAMPED_MS / (1 + jitterFactor);
    this.#onRefresh = options.onRefresh;
    this.#logger = options.logger;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#timers = options.timers ?? systemTimers;
  }

  /** When the next refresh is due, in milliseconds since the epoch; `undefined` while one runs and when stopped. */
  get nextRefreshAtMs(): number | undefined {
    return this.#waiting?.dueMs;
  }

  /** Refreshes from now on, for the first time after one interval. Started already, it does nothing. */
  start(): void {
    this.#started = true;
    this.#wait();
  }

  /** No refresh begins any more by itself; one that runs runs to its end. It can be started again. */
  stop(): void {
    this.#started = false;
    this.#forgetTimer();
  }

  /**
   * Refreshes now, also when stopped, and the next interval counts from the end of it. While a refresh runs, that one is waited for.
   *
   * @returns when it has ended, well or not: it never rejects
   */
  async forceRefresh(): Promise<void> {
    if (this.#inFlight !== undefined) return this.#inFlight;
    this.#forgetTimer();
    let ended = (): void => {};
    // In place before `onRefresh` is called: what that does at once must find this refresh in flight.
    this.#inFlight = new Promise((resolve) => {
      ended = resolve;
    });
    try {
      await this.#refresh();
    } catch {
      // A logger that cannot write costs its line, not the schedule.
    }
    this.#inFlight = undefined;
    this.#wait();
    ended();
  }

  #wait(): void {
    if (!this.#started || this.#inFlight !== undefined || this.#waiting !== undefined) return;
    const delayMs = jitteredDelayMs(this.#intervalMs, this.#jitterFactor, this.#random.next());
    const cancel = this.#timers.after(delayMs, () => {
      this.#waiting = undefined;
      void this.forceRefresh();
    });
    this.#waiting = { dueMs: this.#clock.now() + delayMs, cancel };
  }

  #forgetTimer(): void {
    this.#waiting?.cancel();
    this.#waiting = undefined;
  }

  async #refresh(): Promise<void> {
    const startedAt = this.#clock.now();
    try {
      await this.#onRefresh();
    } catch (thrown) {
      this.#logger.warn({ brand: BRAND, error: messageOf(thrown) }, "Refresh failed");
      return;
    }
    this.#logger.info({ brand: BRAND, startedAt }, "Refresh completed");
  }
}
