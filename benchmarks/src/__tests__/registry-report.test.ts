import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import type { Comparison } from "../comparison.js";
import { fileSystemOf } from "../file-system.js";
import { registryReport } from "../registry-report.js";

const figure = (measure: string, ...optimised: number[]): Comparison => ({
  benchmark: "registry",
  measure,
  unit: "ms",
  is: { baseline: "before", optimised: "after" },
  rounds: optimised.map((ms) => ({ baseline: 1, optimised: ms })),
});

test("the report says of each bar whether it was met, and how noisy it was (R18)", () => {
  const comparisons = [
    figure("flush of 10 servers, p95", 1),
    figure("flush of 1000 servers, p95", 12),
    figure("flush of 10000 servers, p95", 20, 60, 60),
  ];
  const throughputs = [{ callers: 64, linesPerSecond: 4_000.4, changesPerSecond: 9_000.6, changesPerDatasync: 63.96 }];
  expect(registryReport({ comparisons, throughputs, fileSystem: "ext4" }, [1.23, 2, 3]).split("\n")).toEqual([
    "| durable, at once | lines/s, an fdatasync each | FsStore.upsert/s | changes an fdatasync |",
    "| ---: | ---: | ---: | ---: |",
    "| 64 | 4000 | 9001 | 64.0 |",
    "",
    "flush of 1000 servers, p95: 12.0 ms, asked < 50 ms: met, aim < 10 ms: not met",
    "flush of 10000 servers, p95: 60.0 ms (noisy), asked < 50 ms: not met",
    "on ext4; load of the machine at the end: 1.2, 2.0, 3.0 (1, 5, 15 minutes)",
    "",
  ]);
});

test("what the files are on is named, as what a sync costs depends on it", async () => {
  expect(await fileSystemOf(tmpdir())).toMatch(/^\w/);
});
