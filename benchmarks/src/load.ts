import { Caller } from "./caller.js";
import type { Target } from "./target.js";

export type { Target } from "./target.js";

/** What each connection asks: all of them the same, or the nth (from 0) one of its own. */
export type Targets = Target | ((connection: number) => Target);

/** What one round of load showed. */
export interface LoadResult {
  readonly calls: number;
  readonly seconds: number;
  /** Latencies in milliseconds, unsorted. */
  readonly latenciesMs: readonly number[];
}

/** Nothing that is measured takes this long for one answer: what does hangs. */
const HANGING_MS = 30_000;

/**
 * Keeps `concurrency` calls under way for `durationMs` milliseconds, each on a connection of its own.
 * @throws Error as soon as one call is not answered with 200 and a good result: a benchmark of errors measures nothing
 */
export async function load(targets: Targets, concurrency: number, durationMs: number): Promise<LoadResult> {
  const latenciesMs: number[] = [];
  const targetOf = typeof targets === "function" ? targets : () => targets;
  const callers = await Promise.all(
    Array.from({ length: concurrency }, async (_, at) => Caller.open(targetOf(at), latenciesMs)),
  );
  const stop = (error: unknown): void => {
    for (const caller of callers) caller.stop(error);
  };
  const hanging = setTimeout(() => {
    stop(new Error(`a call was not answered within ${HANGING_MS / 1_000} s`));
  }, durationMs + HANGING_MS);
  const started = performance.now();
  try {
    await Promise.all(callers.map(async (caller) => caller.callUntil(started + durationMs)));
  } finally {
    clearTimeout(hanging);
    stop(new Error("another call failed"));
  }
  return { calls: latenciesMs.length, seconds: (performance.now() - started) / 1_000, latenciesMs };
}
