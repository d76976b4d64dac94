// `pnpm coverage:summary`: the table of docs/summary.md, from what `pnpm test:coverage` left in each package.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { junitCounts } from "./junit-counts.mjs";
import { root } from "./workspace.mjs";

/** @typedef {{ total: { lines: { pct: number }, branches: { pct: number } } }} CoverageSummary */

/**
 * One row for a folder with reports of its own; nothing for one without.
 *
 * @param {string} folder relative to `base`
 * @param {string} [base]
 * @returns {readonly string[]}
 */
export function rowOf(folder, base = root) {
  const summary = path.join(base, folder, "coverage/coverage-summary.json");
  const report = path.join(base, folder, "reports/junit.xml");
  if (!existsSync(summary) || !existsSync(report)) return [];
  /** @type {CoverageSummary} */
  const { total } = JSON.parse(readFileSync(summary, "utf8"));
  const tests = junitCounts(readFileSync(report, "utf8"))?.passed ?? 0;
  return [`| \`${folder}\` | ${tests} | ${total.lines.pct} % | ${total.branches.pct} % |`];
}

function main() {
  console.log("| package | tests | lines | branches |");
  console.log("| --- | ---: | ---: | ---: |");
  for (const parent of ["packages", "apps", "examples"]) {
    for (const name of readdirSync(path.join(root, parent)).toSorted()) {
      for (const row of rowOf(`${parent}/${name}`)) console.log(row);
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main();
