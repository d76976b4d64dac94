import { mkdir, writeFile } from "node:fs/promises";
import { arch, cpus, loadavg, platform, totalmem } from "node:os";
import path from "node:path";
import { comparisonCsv } from "./comparison-report.js";
import { rowOf, type ComparisonRow } from "./comparison.js";
import type { SuiteResult } from "./suites.js";

/** The results of the suites that ran, by their names. */
export type Results = Readonly<Record<string, SuiteResult>>;

/** Every comparison of the results, in one list. */
export const rowsOf = (results: Results): readonly ComparisonRow[] =>
  Object.values(results).flatMap(({ comparisons }) => comparisons.map(rowOf));

/**
 * Writes `benchmark-results.json`, with every round, and `latency-comparison.csv` (R18).
 * @param settings how the figures were asked for
 * @returns the paths of both
 */
export async function writeResults(folder: string, results: Results, settings: object): Promise<readonly string[]> {
  const json = path.join(folder, "benchmark-results.json");
  const csv = path.join(folder, "latency-comparison.csv");
  await mkdir(folder, { recursive: true });
  const document = {
    finishedAt: new Date().toISOString(),
    machine: machine(),
    settings,
    comparisons: rowsOf(results),
    suites: Object.fromEntries(
      Object.entries(results).map(([name, { comparisons, details }]) => [name, { comparisons, ...details }]),
    ),
  };
  await writeFile(json, `${JSON.stringify(document, null, 2)}\n`);
  await writeFile(csv, comparisonCsv(document.comparisons));
  return [json, csv];
}

/** What the figures were measured on; nothing that names it. */
function machine() {
  const [cpu] = cpus();
  return {
    node: process.version,
    system: `${platform()} ${arch()}`,
    cpu: cpu?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    loadAverage: loadavg(),
  };
}
