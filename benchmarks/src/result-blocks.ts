import { shown } from "./comparison-report.js";
import { rowOf, type ComparisonRow } from "./comparison.js";
import { planFigures } from "./plan-figures.js";
import type { PublishedResults } from "./published-results.js";

/** `<!-- bench:NAME -->`, what was put there before, `<!-- /bench -->`. */
const BLOCK = /(<!-- bench:([a-z0-9:-]+) -->\n)[^]*?(<!-- \/bench -->)/g;

/**
 * A document with the results in their places: `machine` is what it was measured on, `plan` the three figures of the plan, the name of a suite stands for what that said, and
 * with `:figures` behind it for everything that it compared. No figure in such a place is ever typed by hand.
 *
 * @throws Error when a place asks for what was not measured
 */
export function fillBlocks(document: string, results: PublishedResults): string {
  return document.replaceAll(BLOCK, (_, begin: string, name: string, end: string) => {
    return `${begin}\n${blockOf(name, results).trimEnd()}\n\n${end}`;
  });
}

function blockOf(name: string, results: PublishedResults): string {
  if (name === "machine") return machineSentence(results);
  if (name === "plan") return planFigures(results.comparisons);
  const [suiteName = "", what] = name.split(":");
  const suite = results.suites[suiteName];
  if (suite === undefined) throw new Error(`a document tells of "${suiteName}", which was not measured`);
  if (what === undefined && suite.text !== undefined) return suite.text;
  return sidesTable(suite.comparisons.map(rowOf));
}

/** The rows with what either side is: within a suite that differs. */
function sidesTable(rows: readonly ComparisonRow[]): string {
  return [
    "| figure | baseline | optimised | ratio |",
    "| --- | --- | --- | ---: |",
    ...rows.map(({ measure, unit, is, baseline, optimised, ratio, noisy }) => {
      const sides = [`${shown(baseline)} ${unit}: ${is.baseline}`, `${shown(optimised)} ${unit}: ${is.optimised}`];
      return `| ${[measure, ...sides, `${ratio.toFixed(2)}${noisy ? " (noisy)" : ""}`].join(" | ")} |`;
    }),
    "",
  ].join("\n");
}

function machineSentence({ finishedAt, machine, settings }: PublishedResults): string {
  const { node, system, cpu, cores, memoryGiB, loadAverage } = machine;
  const load = loadAverage.map((value) => value.toFixed(1)).join(", ");
  const how = settings.quick ? "in the quick form, which is for a look only" : "in full";
  return `Measured ${how}, finished on ${finishedAt.slice(0, 10)}: Node ${node}, ${system}, ${cores} cores (${cpu}), ${memoryGiB} GiB; load of the machine at the end ${load} (1, 5, 15 minutes).`;
}
