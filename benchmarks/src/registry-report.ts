import { rowOf } from "./comparison.js";
import type { RegistryFound } from "./registry-suite.js";

/** What is asked of a figure, in milliseconds. */
const ASKED = [
  { measure: "flush of 1000 servers, p95", asked: 50, aim: 10 },
  { measure: "flush of 10000 servers, p95", asked: 50 },
  { measure: "event loop held by a flush of 10000 servers, p50", asked: 20 },
] as const;

/** For people: what goes through in a second, and whether what was asked was met. */
export function registryReport(
  { comparisons, throughputs, fileSystem }: RegistryFound,
  load: readonly number[],
): string {
  const rows = comparisons.map(rowOf);
  const bars = ASKED.flatMap((bar) => {
    const row = rows.find(({ measure }) => measure === bar.measure);
    if (row === undefined) return [];
    const aim = "aim" in bar ? `, aim < ${bar.aim} ms: ${verdict(row.optimised, bar.aim)}` : "";
    const noise = row.noisy ? " (noisy)" : "";
    const asked = `asked < ${bar.asked} ms: ${verdict(row.optimised, bar.asked)}`;
    return [`${bar.measure}: ${row.optimised.toFixed(1)} ms${noise}, ${asked}${aim}`];
  });
  return [
    "| durable, at once | lines/s, an fdatasync each | FsStore.upsert/s | changes an fdatasync |",
    "| ---: | ---: | ---: | ---: |",
    ...throughputs.map(
      ({ callers, linesPerSecond, changesPerSecond, changesPerDatasync }) =>
        `| ${callers} | ${linesPerSecond.toFixed(0)} | ${changesPerSecond.toFixed(0)} | ${changesPerDatasync.toFixed(1)} |`,
    ),
    "",
    ...bars,
    `on ${fileSystem}; load of the machine at the end: ${load.map((value) => value.toFixed(1)).join(", ")} (1, 5, 15 minutes)`,
    "",
  ].join("\n");
}

const verdict = (ms: number, bar: number): string => (ms < bar ? "met" : "not met");
