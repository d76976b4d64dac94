import type { ComparisonRow } from "./comparison.js";
import { csvOf } from "./csv.js";

/** The rows as a Markdown table for people. */
export function comparisonTable(rows: readonly ComparisonRow[]): string {
  return [
    "| benchmark | figure | baseline | optimised | ratio | slowest/fastest round |",
    "| --- | --- | ---: | ---: | ---: | ---: |",
    ...rows.map(
      ({ benchmark, measure, unit, baseline, optimised, ratio, spread, noisy }) =>
        `| ${benchmark} | ${measure} | ${shown(baseline)} ${unit} | ${shown(optimised)} ${unit} | ${ratio.toFixed(2)}${noisy ? " (noisy)" : ""} | ${spread.baseline.toFixed(2)}, ${spread.optimised.toFixed(2)} |`,
    ),
    "",
  ].join("\n");
}

const COLUMNS = [
  "benchmark",
  "measure",
  "unit",
  "baseline",
  "optimised",
  "ratio",
  "less_percent",
  "baseline_spread",
  "optimised_spread",
  "noisy",
  "rounds",
  "baseline_is",
  "optimised_is",
];

/** The rows as CSV (RFC 4180, with a header and plain line feeds). */
export function comparisonCsv(rows: readonly ComparisonRow[]): string {
  const lines = rows.map((row) => [
    row.benchmark,
    row.measure,
    row.unit,
    shown(row.baseline),
    shown(row.optimised),
    row.ratio.toFixed(3),
    ((1 - row.ratio) * 100).toFixed(1),
    row.spread.baseline.toFixed(2),
    row.spread.optimised.toFixed(2),
    String(row.noisy),
    String(row.rounds),
    row.is.baseline,
    row.is.optimised,
  ]);
  return csvOf([COLUMNS, ...lines]);
}

/** Four digits that count: more would say something about a machine that is never so still. */
export const shown = (value: number): string =>
  value >= 1_000
    ? value.toFixed(0)
    : value >= 100
      ? value.toFixed(1)
      : value >= 10
        ? value.toFixed(2)
        : value.toFixed(3);
