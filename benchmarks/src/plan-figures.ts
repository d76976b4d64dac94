import { shown } from "./comparison-report.js";
import type { ComparisonRow } from "./comparison.js";

interface PlanFigure {
  readonly what: string;
  readonly asked: string;
  /** Whether it is asked how much less it is than the baseline. */
  readonly asksLess: boolean;
  readonly isRow: (row: ComparisonRow) => boolean;
  readonly isMet: (row: ComparisonRow) => boolean;
}

const FIGURES: readonly PlanFigure[] = [
  {
    what: "cold start of ten connectors of 500 ms, four at a time instead of one by one",
    asked: "≥ 35 % less",
    asksLess: true,
    isRow: ({ benchmark, measure }) =>
      benchmark === "cold start" && measure.startsWith("10 connectors of 500 ms, four at a time"),
    isMet: ({ ratio }) => ratio <= 0.65,
  },
  {
    what: "tool call through the gateway in steady state, 16 at once, p95",
    asked: "≤ 250 ms",
    asksLess: false,
    isRow: ({ benchmark, measure }) => benchmark === "steady state" && measure.endsWith(", 16 at once, p95"),
    isMet: ({ optimised }) => optimised <= 250,
  },
  {
    what: "flush of a registry of 1,000 servers, p95",
    asked: "< 50 ms",
    asksLess: false,
    isRow: ({ benchmark, measure }) => benchmark === "registry" && measure === "flush of 1000 servers, p95",
    isMet: ({ optimised }) => optimised < 50,
  },
];

/** The three figures of the plan (R18), as Markdown. @throws Error when one of them was not measured */
export function planFigures(rows: readonly ComparisonRow[]): string {
  return [
    "| figure | asked by the plan | baseline | optimised | less | met |",
    "| --- | --- | ---: | ---: | ---: | --- |",
    ...FIGURES.map(({ what, asked, asksLess, isRow, isMet }) => {
      const row = rows.find(isRow);
      if (row === undefined) throw new Error(`not measured: ${what}`);
      const { baseline, optimised, unit, is, ratio } = row;
      const columns = [`${shown(baseline)} ${unit}: ${is.baseline}`, `${shown(optimised)} ${unit}: ${is.optimised}`];
      const less = asksLess ? `${((1 - ratio) * 100).toFixed(0)} %` : "–";
      return `| ${[what, asked, ...columns, less, isMet(row) ? "yes" : "no"].join(" | ")} |`;
    }),
    "",
  ].join("\n");
}
