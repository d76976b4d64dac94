import { median } from "./statistics.js";

/** The two things that are held against each other. */
export interface Sides<T> {
  readonly baseline: T;
  readonly optimised: T;
}

/** One figure, measured both ways in each round. */
export interface Comparison {
  /** The program that measured it. */
  readonly benchmark: string;
  /** The figure: of what, and which percentile. */
  readonly measure: string;
  readonly unit: "ms" | "µs";
  /** What either side is. */
  readonly is: Sides<string>;
  readonly rounds: readonly Sides<number>[];
}

/** A {@link Comparison} over all its rounds. */
export interface ComparisonRow extends Omit<Comparison, "rounds"> {
  readonly rounds: number;
  /** The median of the rounds. */
  readonly baseline: number;
  /** The median of the rounds. */
  readonly optimised: number;
  /** Optimised over baseline: the median of the rounds' ratios, which noise from outside moves least. */
  readonly ratio: number;
  /** The largest round over the smallest, on each side: how noisy the machine was. */
  readonly spread: Sides<number>;
  /** Whether a round of either side took more than twice as long as another: then the ratio says little. */
  readonly noisy: boolean;
}

/** A {@link ComparisonRow.spread} beyond this is noise. */
export const TOO_NOISY = 2;

/**
 * The rounds of both sides, pair by pair.
 * @throws Error when one side has more rounds than the other, or none: nothing was measured then
 */
export function pairUp(baseline: readonly number[], optimised: readonly number[]): readonly Sides<number>[] {
  if (baseline.length === 0 || baseline.length !== optimised.length)
    throw new Error(`cannot compare ${baseline.length} rounds with ${optimised.length}`);
  return baseline.map((value, at) => ({ baseline: value, optimised: optimised[at] ?? Number.NaN }));
}

/** Folds the rounds. */
export function rowOf({ rounds, ...comparison }: Comparison): ComparisonRow {
  const baseline = rounds.map((round) => round.baseline);
  const optimised = rounds.map((round) => round.optimised);
  const spread = { baseline: spreadOf(baseline), optimised: spreadOf(optimised) };
  return {
    ...comparison,
    rounds: rounds.length,
    baseline: median(baseline),
    optimised: median(optimised),
    ratio: median(rounds.map((round) => round.optimised / round.baseline)),
    spread,
    noisy: Math.max(spread.baseline, spread.optimised) > TOO_NOISY,
  };
}

const spreadOf = (values: readonly number[]): number => Math.max(...values) / Math.min(...values);
