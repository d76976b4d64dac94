import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { complaintsOf, scoreOf, type Check } from "./checks.js";
import { openBench, type Way } from "./conformance-bench.js";
import { CONFORMANCE_DOCUMENT, SERVER_SECTION } from "./conformance-document.js";
import { withSection } from "./generated-section.js";
import { lossesOf } from "./losses.js";
import { scoreTable, type ScoreRow } from "./score-table.js";
import { findSuiteNode } from "./suite-node.js";
import { SUITE_RUNS } from "./suite-runs.js";

/**
 * Usage: pnpm conformance [--write]. Runs the official suite's server mode on every way and prints the table, what the direct way lacks, and what a way
 * through the gateway loses. `--write` puts the table into docs/conformance.md. Exits 1 when something is lost or under its ceiling.
 */
const { values } = parseArgs({ options: { write: { type: "boolean", default: false } } });
const say = (line: string): boolean => process.stdout.write(`${line}\n`);

const bench = openBench(findSuiteNode());
const rows: ScoreRow[] = [];
let isGood = true;
try {
  for (const run of SUITE_RUNS) {
    const name = `${run.suite} ${run.revision}`;
    const direct = await bench.measure(run, "direct");
    const through = { http: await bench.measure(run, "http"), stdio: await bench.measure(run, "stdio") };
    rows.push({
      run,
      scores: { direct: scoreOf(direct), http: scoreOf(through.http), stdio: scoreOf(through.stdio) },
    });
    if (scoreOf(direct).passed < run.ceiling || scoreOf(direct).failed > 0) isGood = false;
    for (const line of complaintsOf(direct)) say(`${name}, direct: ${line}`);
    for (const [way, checks] of Object.entries(through) as [Way, readonly Check[]][]) {
      const losses = lossesOf(direct, checks);
      for (const line of losses) say(`${name}, ${way}: ${line}`);
      if (losses.length > 0) isGood = false;
    }
  }
} finally {
  await bench.close();
}
say(`\n${scoreTable(rows)}`);
if (values.write) {
  const document = await readFile(CONFORMANCE_DOCUMENT, "utf8");
  await writeFile(CONFORMANCE_DOCUMENT, withSection(document, SERVER_SECTION, scoreTable(rows)));
}
process.exitCode = isGood ? 0 : 1;
