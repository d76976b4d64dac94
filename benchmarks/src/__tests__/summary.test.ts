import { describe, expect, test } from "vitest";
import { roadReport } from "../road-report.js";
import { median, percentile } from "../statistics.js";
import { cellOf, ratiosOf, type Measurement, type Round } from "../summary.js";

const round = (callsPerSecond: number, cpuMicros?: number): Round => ({
  callsPerSecond,
  p50Ms: 1,
  p95Ms: 1.5,
  p99Ms: 2,
  ...(cpuMicros === undefined ? {} : { cpuMicros }),
});

const measured = (way: Measurement["way"], ...rounds: Round[]): Measurement => ({ way, concurrency: 16, rounds });

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
    expect(ratiosOf([bare, ours])).toEqual([{ concurrency: 16, throughput: 0.8, cpu: 1.2, noisy: true }]);
  });

  test("what was not measured has no ratio and no CPU", () => {
    const direct = measured("direct", round(100));
    expect(cellOf(direct).cpuMicros).toBeUndefined();
    expect(ratiosOf([direct, measured("cortex-mcp", round(1, 1))])).toEqual([]);
  });

  test("the report has a row a way and a sentence a ratio", () => {
    const cells = [cellOf(measured("direct", round(123.4))), cellOf(measured("bare proxy", round(99.6, 41.2)))];
    expect(roadReport(cells, [{ concurrency: 16, throughput: 0.9, cpu: 1.1, noisy: false }]).split("\n")).toEqual([
      "| way | at once | calls/s | p50 ms | p95 ms | p99 ms | CPU µs/call | fastest/slowest round |",
      "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
      "| direct | 16 | 123 | 1.000 | 1.500 | 2.000 | – | 1.00 |",
      "| bare proxy | 16 | 100 | 1.000 | 1.500 | 2.000 | 41 | 1.00 |",
      "",
      "at 16: cortex-mcp does 0.90 of the bare proxy's calls, with 1.10 times its CPU a call",
      "",
    ]);
  });
});
