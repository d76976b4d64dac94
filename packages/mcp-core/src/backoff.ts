import type { RandomSource } from "./random.js";

/** Bounds of a {@link backoffDelayMs}. */
export interface BackoffPolicy {
  /** Ceiling of the first delay in milliseconds. */
  readonly baseMs: number;
  /** Ceiling of every delay in milliseconds. */
  readonly maxMs: number;
}

/**
 * Exponential backoff with full jitter: uniform in [0, min(maxMs, baseMs × 2^attempt)), never under a tenth of that
 * ceiling, so that unlucky draws do not spin.
 *
 * @param attempt how many attempts failed before, from 0
 * @returns milliseconds, a whole number
 */
export function backoffDelayMs(attempt: number, policy: BackoffPolicy, random: RandomSource): number {
  const ceiling = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(attempt, 30));
  return Math.floor(ceiling * Math.max(0.1, random.next()));
}
