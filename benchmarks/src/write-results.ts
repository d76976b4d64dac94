import { mkdir, writeFile } from "node:fs/promises";
import { arch, cpus, loadavg, platform, totalmem } from "node:os";
import path from "node:path";
import { comparisonCsv } from "./comparison-report.js";
import { rowOf, type ComparisonRow } from "./comparison.js";
import type { SuiteResult } from "./suite.js";
import { waysCsv } from "./ways-csv.js";

/** The results of the suites that ran, by their names. */
export type Results = Readonly<Record<string, SuiteResult>>;

/** Every comparison of the results, in one list. */
export const rowsOf = (results: Results): readonly ComparisonRow[] =>
  Object.values(results).flatMap(({ comparisons }) => comparisons.map(rowOf));

/** The suites that found nothing, and the figures whose ratio is no number: with any of them a run was for nothing. */
export function missingIn(results: Results): readonly string[] {
  const empty = Object.entries(results).filter(
    ([, { comparisons, details }]) => comparisons.length === 0 && details === undefined,
  );
  const bad = rowsOf(results).filter(({ ratio }) => !Number.isFinite(ratio));
  return [...empty.map(([name]) => name), ...bad.map(({ benchmark, measure }) => `${benchmark}: ${measure}`)];
}

/**
 * Writes `benchmark-results.json`, with every round, and `latency-comparison.csv` (R18); what each way showed under load as `ways.csv`, and its pictures as `SUITE.svg`.
 * @param settings how the figures were asked for
 * @returns the paths of all
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
      Object.entries(results).map(([name, { text, comparisons, details }]) => [
        name,
        { ...(text === undefined ? {} : { text }), comparisons, ...details },
      ]),
    ),
  };
  await writeFile(json, `${JSON.stringify(document, null, 2)}\n`);
  await writeFile(csv, comparisonCsv(document.comparisons));
  const files = [json, csv];
  const cells = Object.entries(results).flatMap(([name, suite]) =>
    (suite.cells ?? []).map((cell) => [name, cell] as const),
  );
  if (cells.length > 0) {
    files.push(path.join(folder, "ways.csv"));
    await writeFile(path.join(folder, "ways.csv"), waysCsv(cells));
  }
  for (const [name, { plot }] of Object.entries(results)) {
    if (plot === undefined) continue;
    const file = path.join(folder, `${name}.svg`);
    files.push(file);
    await writeFile(file, plot);
  }
  return files;
}

/** What the figures were measured on; nothing that names it. */
export interface Machine {
  readonly node: string;
  readonly system: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** Of the last 1, 5 and 15 minutes. */
  readonly loadAverage: readonly number[];
}

function machine(): Machine {
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
