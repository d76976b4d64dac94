import type { Monotonic, Timers } from "@cortex-os/mcp-core";

/** What a {@link Brake} works through. */
export interface BrakeDeps {
  readonly monotonic: Monotonic;
  readonly timers: Timers;
}

/** How far apart a {@link Brake} keeps the runs of its task. */
export interface BrakePolicy {
  /** Least time in milliseconds between two runs. */
  readonly gapMs: number;
  /** The gap doubles up to this while requests come before it is over, and is {@link gapMs} again after one without any. */
  readonly maxGapMs: number;
}

/**
 * Runs a task when it is requested, but not more often than the policy allows, however often it is requested: the first time at once, then after
 * the gap. The last request is never lost: a run follows it.
 */
export class Brake {
  readonly #deps: BrakeDeps;
  readonly #policy: BrakePolicy;
  readonly #task: () => void;
  #gapMs: number;
  #lastMs = Number.NEGATIVE_INFINITY;
  #cancelWaiting: (() => void) | undefined;

  /** @param task what it throws passes through {@link request} or into the timer */
  constructor(deps: BrakeDeps, policy: BrakePolicy, task: () => void) {
    this.#deps = deps;
    this.#policy = policy;
    this.#task = task;
    this.#gapMs = policy.gapMs;
  }

  /** Runs the task now or when the gap is over; while it waits, further requests are one with it. */
  request(): void {
    if (this.#cancelWaiting !== undefined) return;
    const leftMs = this.#lastMs + this.#gapMs - this.#deps.monotonic.elapsedMs();
    if (leftMs <= 0) {
      this.#gapMs = this.#policy.gapMs;
      this.#run();
      return;
    }
    this.#gapMs = Math.min(this.#gapMs * 2, this.#policy.maxGapMs);
    this.#cancelWaiting = this.#deps.timers.after(leftMs, () => {
      this.#cancelWaiting = undefined;
      this.#run();
    });
  }

  /** What the task began has ended only now: the gap counts from here. */
  ended(): void {
    this.#lastMs = this.#deps.monotonic.elapsedMs();
  }

  /** Forgets the run that waits, if one does. */
  cancel(): void {
    this.#cancelWaiting?.();
    this.#cancelWaiting = undefined;
  }

  #run(): void {
    this.ended();
    this.#task();
  }
}
