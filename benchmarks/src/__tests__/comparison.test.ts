import { describe, expect, test } from "vitest";
import { comparisonCsv, comparisonTable } from "../comparison-report.js";
import { pairUp, rowOf, type Comparison } from "../comparison.js";
import { compareWays } from "../compare-ways.js";
import type { Measurement } from "../summary.js";

const comparison = (baseline: readonly number[], optimised: readonly number[]): Comparison => ({
  benchmark: "cold start",
  measure: 'ten, "slow"',
  unit: "ms",
  is: { baseline: "before", optimised: "after" },
  rounds: pairUp(baseline, optimised),
});

describe("holding two sides against each other (R18)", () => {
  test("the ratio is the median of the rounds' ratios, not the ratio of the medians", () => {
    const row = rowOf(comparison([100, 200, 400], [50, 150, 100]));
    expect(row).toMatchObject({ baseline: 200, optimised: 100, ratio: 0.5, rounds: 3 });
    expect(row.spread).toEqual({ baseline: 4, optimised: 3 });
    expect(row.noisy).toBe(true);
    expect(rowOf(comparison([1, 2], [3, 3])).noisy).toBe(false);
    expect(rowOf(comparison([100, 1_000, 10], [30, 700, 9])).ratio).toBe(0.7);
  });

  test.each([
    [[], []],
    [[1, 2], [1]],
  ])("rounds %j and %j cannot be compared", (baseline, optimised) => {
    expect(() => pairUp(baseline, optimised)).toThrow(`cannot compare ${baseline.length} rounds`);
  });

  test("ways are compared where both were measured, in every figure that both have", () => {
    const round = { callsPerSecond: 1, p50Ms: 1, p95Ms: 2, p99Ms: 3 };
    const way = (name: string, concurrency: number, cpuMicros?: number): Measurement => ({
      way: name,
      concurrency,
      rounds: [{ ...round, ...(cpuMicros === undefined ? {} : { cpuMicros }) }],
    });
    const names = { benchmark: "b", load: "calls", baseline: "off", optimised: "on" };
    const figures = (...measurements: Measurement[]): string[] =>
      compareWays(measurements, names).map(({ measure }) => measure);
    const times = ["calls, 4 at once, p50", "calls, 4 at once, p95", "calls, 4 at once, p99"];
    expect(figures(way("off", 4), way("on", 4, 9), way("off", 8), way("other", 4))).toEqual(times);
    expect(figures(way("off", 4, 8), way("on", 4, 9))).toEqual([...times, "calls, 4 at once, CPU a call"]);
  });
});

describe("what is shown of a comparison", () => {
  const rows = [rowOf(comparison([2_000.4], [500.26])), rowOf(comparison([12.345], [1.23456]))];

  test("the CSV has a header, a line a figure, both sides, and quotes what needs it", () => {
    expect(comparisonCsv(rows).split("\n")).toEqual([
      "benchmark,measure,unit,baseline,optimised,ratio,less_percent,baseline_spread,optimised_spread,noisy,rounds,baseline_is,optimised_is",
      'cold start,"ten, ""slow""",ms,2000,500.3,0.250,75.0,1.00,1.00,false,1,before,after',
      'cold start,"ten, ""slow""",ms,12.35,1.235,0.100,90.0,1.00,1.00,false,1,before,after',
      "",
    ]);
  });

  test("the table has the same figures for people", () => {
    expect(comparisonTable(rows)).toContain('| cold start | ten, "slow" | 2000 ms | 500.3 ms | 0.25 | 1.00, 1.00 |\n');
  });
});
