import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { plotOf } from "../plot.js";
import type { Cell } from "../summary.js";
import { withTemporaryFolder } from "../temporary-folder.js";
import { waysCsv } from "../ways-csv.js";
import { writeResults } from "../write-results.js";

const cell = (way: string, callsPerSecond: number, cpuMicros?: number): Cell => ({
  ...{ way, concurrency: 16, callsPerSecond, p50Ms: 1, p95Ms: 2, p99Ms: 3, spread: 1.5 },
  ...(cpuMicros === undefined ? {} : { cpuMicros, peakBytes: 1_000, overRestBytes: 10 }),
});
const cells = [cell("direct", 200), cell('a<"b">', 100, 80), cell("cortex-mcp", 50, 40)];

test("the picture has a bar for every figure that there is, as long as it is large, and ours set off (R18)", () => {
  const svg = plotOf("calls & more", cells, "cortex-mcp");
  const widths = [...svg.matchAll(/class="(bar|bar ours)" x="170" y="\d+" width="([\d.]+)"/g)].map((found) =>
    found.slice(1),
  );
  expect(widths.slice(0, 5)).toEqual([
    ["bar", "400.0"],
    ["bar", "200.0"],
    ["bar ours", "100.0"],
    ["bar", "400.0"],
    ["bar ours", "200.0"],
  ]);
  expect(widths).toHaveLength(3 + 2 + 3 + 3);
  expect(svg).toContain("calls &amp; more");
  expect(svg).toContain("a&lt;&quot;b&quot;>");
  expect(plotOf("calls & more", cells, "cortex-mcp")).toBe(svg);
});

test("the rows are written as CSV, and the picture under the suite's name (R18)", async () => {
  const csv = waysCsv([
    ["road", cells[0] ?? cell("", 0)],
    ["road", cells[2] ?? cell("", 0)],
  ]);
  expect(csv.split("\n").slice(1)).toEqual([
    "road,direct,16,200,1.000,2.000,3.000,,,,1.50",
    "road,cortex-mcp,16,50,1.000,2.000,3.000,40.0,1000,10,1.50",
    "",
  ]);
  await withTemporaryFolder(async (folder) => {
    const files = await writeResults(folder, { road: { comparisons: [], cells, plot: "<svg/>" } }, { quick: true });
    expect(files.map((file) => path.basename(file))).toEqual([
      ...["benchmark-results.json", "latency-comparison.csv", "ways.csv", "road.svg"],
    ]);
    expect(await readFile(path.join(folder, "road.svg"), "utf8")).toBe("<svg/>");
  });
});
