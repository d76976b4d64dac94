import { csvOf } from "./csv.js";
import type { Cell } from "./summary.js";

const COLUMNS = [
  ...["suite", "way", "at_once", "calls_per_second", "p50_ms", "p95_ms", "p99_ms"],
  ...["cpu_us_per_call", "peak_bytes", "over_rest_bytes", "spread"],
];

/** Every row of the suites' tables as CSV; a figure that there is none of is empty. */
export function waysCsv(rows: readonly (readonly [suite: string, cell: Cell])[]): string {
  const lines = rows.map(([suite, cell]) => [
    ...[suite, cell.way, String(cell.concurrency), cell.callsPerSecond.toFixed(0)],
    ...[cell.p50Ms.toFixed(3), cell.p95Ms.toFixed(3), cell.p99Ms.toFixed(3)],
    ...[cell.cpuMicros?.toFixed(1) ?? "", cell.peakBytes?.toFixed(0) ?? "", cell.overRestBytes?.toFixed(0) ?? ""],
    cell.spread.toFixed(2),
  ]);
  return csvOf([COLUMNS, ...lines]);
}
