import type { ScenarioResult } from "./scenario.js";

/** A scenario's line in the table. */
export interface TableRow extends ScenarioResult {
  readonly name: string;
  readonly seconds: number;
}

const HEAD = ["scenario", "rounds", "acknowledged", "lost", "wrong", "thrown", "seconds"];

/** What came of all scenarios, a line each, and their sum. */
export function resultTable(rows: readonly TableRow[]): string {
  const counts = rows.map((row) => [row.rounds, row.acknowledged, row.lost, row.wrong, row.thrown, row.seconds]);
  const sum = HEAD.slice(1).map((_, at) => counts.reduce((total, count) => total + (count[at] ?? 0), 0));
  const lines = [
    HEAD,
    ...rows.map(({ name, skipped }, at) => [
      name,
      ...texts(counts[at] ?? []),
      skipped === undefined ? "" : `skipped: ${skipped}`,
    ]),
    ["all", ...texts(sum)],
  ];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

const texts = (counts: readonly number[]): readonly string[] =>
  counts.map((count) => Math.round(count).toLocaleString("en-US"));
