import { describe, expect, test } from "vitest";
import { addedTo, ratiosTo } from "../ratios.js";
import { median, percentile } from "../statistics.js";
import { cellOf, type Measurement, type Round } from "../summary.js";
import { trafficReport } from "../traffic-suites.js";
import { waysTable } from "../ways-table.js";

const MIB = 2 ** 20;
const round = (callsPerSecond: number, cpuMicros?: number, p50Ms = 1): Round => ({
  callsPerSecond,
  p50Ms,
  p95Ms: 1.5,
  p99Ms: 2,
  ...(cpuMicros === undefined ? {} : { cpuMicros, peakBytes: 80 * MIB }),
});

const measured = (way: string, ...rounds: Round[]): Measurement => ({ way, concurrency: 16, rounds });

describe("the benchmark's arithmetic (R18)", () => {
  test("a percentile is a value that occurred, and of nothing it is 0", () => {
    expect(percentile([5, 1, 4, 2, 3], 0.99)).toBe(5);
    expect(median([9, 1, 5])).toBe(5);
    expect(median([])).toBe(0);
  });

  test("one wild round moves neither the median nor the ratio, and is called noise", () => {
    const bare = measured("bare proxy", round(100, 50), round(1000, 50), round(100, 50));
    const ours = measured("cortex-mcp", round(80, 60), round(80, 60), round(90, 75));
    expect(cellOf(bare)).toMatchObject({ callsPerSecond: 100, spread: 10, cpuMicros: 50 });
    expect(ratiosTo("bare proxy", [bare, ours])).toEqual([
      { way: "cortex-mcp", baseline: "bare proxy", concurrency: 16, throughput: 0.8, cpu: 1.2, noisy: true },
    ]);
  });

  test("what was not measured has no ratio, no CPU and no memory", () => {
    const direct = measured("direct", round(100));
    expect(cellOf(direct)).not.toHaveProperty("cpuMicros");
    expect(cellOf(direct)).not.toHaveProperty("peakBytes");
    expect(ratiosTo("bare proxy", [direct, measured("cortex-mcp", round(1, 1))])).toEqual([]);
    expect(ratiosTo("direct", [direct, measured("cortex-mcp", round(50, 1))])[0]).not.toHaveProperty("cpu");
  });

  test("what a way adds to the median latency is held against what the bare proxy adds, round by round", () => {
    const direct = measured("direct", round(1, undefined, 1), round(1, undefined, 2));
    const bare = measured("bare proxy", round(1, 1, 2), round(1, 1, 3));
    const ours = measured("cortex-mcp", round(1, 1, 2.5), round(1, 1, 3.5));
    expect(addedTo("direct", "bare proxy", [direct, bare, ours])).toEqual([
      { way: "cortex-mcp", concurrency: 16, p50Ms: 1.5, ratio: 1.5 },
    ]);
    expect(addedTo("direct", "bare proxy", [direct, ours])).toEqual([]);
  });

  test("memory is the most of all rounds, and how much of it came on top of rest", () => {
    const cell = cellOf({ ...measured("cortex-mcp", round(1, 1), round(1, 1)), restingBytes: 70 * MIB });
    expect([cell.peakBytes, cell.overRestBytes]).toEqual([80 * MIB, 10 * MIB]);
  });

  test("the report has a row a way, our ratios, what failed and why, and how noisy it was", () => {
    const bare = measured("bare proxy", round(99.6, 41.2));
    const ours = measured("cortex-mcp", round(49.8, 82.4));
    const noise = { calibrationMs: [10, 12, 11], loadAverage: [0.5, 2] } as const;
    const found = { measurements: [bare, ours], noise, failures: { nginx: "not here\nsome log" } };
    const text = trafficReport(found, ratiosTo("bare proxy", found.measurements), []);
    expect(text).toContain(waysTable(found.measurements.map(cellOf)));
    expect(text).toContain("| bare proxy | 16 | 100 | 1.000 | 1.500 | 2.000 | 41 | 80 | – | 1.00 |\n");
    expect(text).toContain(
      "- at 16: cortex-mcp does 0.50 of the calls of bare proxy, with 2.00 times its CPU a call\n",
    );
    expect(text).toContain("- nginx failed: not here\n");
    expect(text).toContain(
      "took 1.10 (median) to 1.20 (worst) of its fastest round's time; load 0.5 before, 2.0 after",
    );
  });
});
