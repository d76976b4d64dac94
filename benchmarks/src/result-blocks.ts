import { comparisonTable } from "./comparison-report.js";
import { rowOf } from "./comparison.js";
import { planFigures } from "./plan-figures.js";
import type { PublishedResults } from "./published-results.js";

/** `<!-- bench:NAME -->`, what was put there before, `<!-- /bench -->`. */
const BLOCK = /(<!-- bench:([a-z-]+) -->\n)[^]*?(<!-- \/bench -->)/g;

/**
 * A document with the results in their places: `machine` is what it was measured on, `plan` the three figures of the plan, and the name of a suite stands for what that said.
 * No figure in such a place is ever typed by hand.
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
  const suite = results.suites[name];
  if (suite === undefined) throw new Error(`a document tells of "${name}", which was not measured`);
  const { text = "", comparisons } = suite;
  return [text.trimEnd(), comparisonTable(comparisons.map(rowOf))].filter((part) => part !== "").join("\n\n");
}

function machineSentence({ finishedAt, machine, settings }: PublishedResults): string {
  const { node, system, cpu, cores, memoryGiB, loadAverage } = machine;
  const load = loadAverage.map((value) => value.toFixed(1)).join(", ");
  const how = settings.quick ? "in the quick form, which is for a look only" : "in full";
  return `Measured ${how}, finished on ${finishedAt.slice(0, 10)}: Node ${node}, ${system}, ${cores} cores (${cpu}), ${memoryGiB} GiB; load of the machine at the end ${load} (1, 5, 15 minutes).`;
}
