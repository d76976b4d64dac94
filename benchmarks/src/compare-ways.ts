import { pairUp, type Comparison } from "./comparison.js";
import type { Measurement, Round } from "./summary.js";

/** Which two ways are held against each other, and what their load is called. */
export interface WaysToCompare {
  readonly benchmark: string;
  readonly load: string;
  readonly baseline: string;
  readonly optimised: string;
}

const FIGURES: readonly (readonly [
  name: string,
  unit: Comparison["unit"],
  of: (round: Round) => number | undefined,
])[] = [
  ["p50", "ms", ({ p50Ms }) => p50Ms],
  ["p95", "ms", ({ p95Ms }) => p95Ms],
  ["p99", "ms", ({ p99Ms }) => p99Ms],
  ["CPU a call", "µs", ({ cpuMicros }) => cpuMicros],
];

/** Every figure that both ways have, at every concurrency at which both were measured. */
export function compareWays(measurements: readonly Measurement[], names: WaysToCompare): Comparison[] {
  const { benchmark, load, baseline, optimised } = names;
  const theirs = measurements.filter(({ way }) => way === baseline);
  return theirs.flatMap(({ concurrency, rounds }) => {
    const ours = measurements.find((other) => other.way === optimised && other.concurrency === concurrency);
    if (ours === undefined) return [];
    return FIGURES.flatMap(([name, unit, of]): Comparison[] => {
      const [before, after] = [rounds, ours.rounds].map((all) => all.flatMap((round) => of(round) ?? []));
      if (before === undefined || after === undefined || before.length !== after.length || before.length === 0)
        return [];
      const measure = `${load}, ${concurrency} at once, ${name}`;
      return [{ benchmark, measure, unit, is: { baseline, optimised }, rounds: pairUp(before, after) }];
    });
  });
}
