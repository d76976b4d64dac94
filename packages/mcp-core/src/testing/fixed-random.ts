import type { RandomSource } from "../random.js";

/** Chance that is not: gives `values` in turn and starts over at the end. */
export function fixedRandom(...values: readonly number[]): RandomSource {
  let at = 0;
  return { next: () => values[at++ % values.length] ?? 0 };
}
