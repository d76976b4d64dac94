import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { ComparisonRow } from "../comparison.js";
import { rowOf, type Comparison } from "../comparison.js";
import { withTemporaryFolder } from "../temporary-folder.js";

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
const run = promisify(execFile);

interface Document {
  readonly machine: Record<string, unknown>;
  readonly settings: unknown;
  readonly comparisons: readonly ComparisonRow[];
  readonly suites: Record<string, { readonly comparisons: readonly Comparison[] }>;
}

test("the program prints a table and writes both files, with every round to compute the ratios from (R18)", async () => {
  await withTemporaryFolder(async (folder) => {
    const out = path.join(folder, "deep", "reports");
    const { stdout } = await run(process.execPath, [main, "map-verify", "--quick", "--out", out]);
    const text = await readFile(path.join(out, "benchmark-results.json"), "utf8");
    const { machine, settings, comparisons, suites } = JSON.parse(text) as Document;
    expect(Object.keys(machine)).toEqual(["node", "system", "cpu", "cores", "memoryGiB", "loadAverage"]);
    expect(settings).toEqual({ quick: true });
    expect(Object.keys(suites)).toEqual(["map-verify"]);
    expect(comparisons).toEqual(suites["map-verify"]?.comparisons.map(rowOf));
    expect(comparisons.length).toBeGreaterThan(0);
    const csv = await readFile(path.join(out, "latency-comparison.csv"), "utf8");
    expect(csv.trimEnd().split("\n")).toHaveLength(1 + comparisons.length);
    for (const { measure } of comparisons) expect(stdout).toContain(`| ${measure} |`);
  });
}, 60_000);

test.each([[["speed"]], [["--only", "speed"]], [["map-verify", "speed"]]])(
  "a suite that there is not is refused with the names of those there are: %j",
  async (names) => {
    await expect(run(process.execPath, [main, ...names])).rejects.toThrow(
      "no suite is named speed; there are road, legacy-road, results-64k, results-4m, progress, stdio-road, legacy-stdio-road, list-500, list-10000, refresh, cold-start, cold-start-process, warm-start, restart, registry, map-verify, map-refresh, many",
    );
  },
);
