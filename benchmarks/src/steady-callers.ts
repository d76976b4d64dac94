import { setTimeout as sleep } from "node:timers/promises";
import { outcomeOf, type CallOutcome } from "./call-once.js";
import type { Target } from "./load.js";
import { percentile } from "./statistics.js";

/** One call, in milliseconds as `performance.now` counts them. */
export interface TimedCall {
  readonly beganMs: number;
  readonly endedMs: number;
  readonly outcome: CallOutcome;
}

/** Callers at work. */
export interface Callers {
  /** Every call that has ended, in that order. */
  readonly calls: readonly TimedCall[];
  /** Resolves when a call ended well that began after `sinceMs`. @throws Error when none did within `withinMs` */
  readonly good: (sinceMs: number, withinMs: number) => Promise<TimedCall>;
  readonly end: () => Promise<void>;
}

/** Who was told no waits a little, as a decent client does: otherwise failing calls would take the machine from those that succeed. */
const PAUSE_MS = 10;
const LOOK_MS = 5;

/** Keeps `count` calls under way until {@link Callers.end}, whatever comes of them. */
export function startCallers(target: Target, count: number): Callers {
  const calls: TimedCall[] = [];
  const ending = new AbortController();
  const caller = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const beganMs = performance.now();
      const outcome = await outcomeOf(target);
      calls.push({ beganMs, endedMs: performance.now(), outcome });
      if (outcome !== "ok") await sleep(PAUSE_MS);
    }
  };
  const callers = Array.from({ length: count }, caller);
  return {
    calls,
    good: async (sinceMs, withinMs) => {
      for (let from = calls.length; ;) {
        const found = calls.slice(from).find(({ beganMs, outcome }) => outcome === "ok" && beganMs > sinceMs);
        if (found !== undefined) return found;
        from = calls.length;
        if (performance.now() - sinceMs > withinMs) throw new Error(`no call succeeded within ${withinMs} ms`);
        await sleep(LOOK_MS);
      }
    },
    end: async () => {
      ending.abort();
      await Promise.all(callers);
    },
  };
}

/** How calls went in a stretch of time. */
export interface Stretch {
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Folds the calls that began from `fromMs` to `toMs`. @throws Error when there is none: nothing was measured then */
export function stretchOf(calls: readonly TimedCall[], fromMs: number, toMs: number): Stretch {
  const took = calls
    .filter(({ beganMs }) => beganMs >= fromMs && beganMs < toMs)
    .map(({ beganMs, endedMs }) => endedMs - beganMs);
  if (took.length === 0) throw new Error("no call began in that time");
  return {
    callsPerSecond: took.length / ((toMs - fromMs) / 1_000),
    p50Ms: percentile(took, 0.5),
    p99Ms: percentile(took, 0.99),
  };
}
