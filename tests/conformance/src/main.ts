import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { complaintsOf, scoreOf, type Check } from "./checks.js";
import { CLIENT_RUNS } from "./client/client-runs.js";
import { runClientSuite } from "./client/run-client-suite.js";
import { openBench, type Way } from "./conformance-bench.js";
import { CLIENT_SECTION, CONFORMANCE_DOCUMENT, SERVER_SECTION } from "./conformance-document.js";
import { withSection } from "./generated-section.js";
import { lossesOf } from "./losses.js";
import { clientTable, scoreTable, type ScoreRow } from "./score-table.js";
import { findSuiteNode } from "./suite-node.js";
import { SUITE_RUNS } from "./suite-runs.js";

/**
 * Usage: pnpm conformance [--write]. Runs the official suite's server mode on every way, then its client mode, and prints the tables, what the direct way lacks, and what a way
 * through the gateway loses. `--write` puts the tables into docs/conformance.md. Exits 1 when something is lost or under its ceiling.
 */
const { values } = parseArgs({ options: { write: { type: "boolean", default: false } } });
const say = (line: string): boolean => process.stdout.write(`${line}\n`);

const node = findSuiteNode();
const bench = openBench(node);
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
for (const run of CLIENT_RUNS) {
  const checks = await runClientSuite(node, run);
  const { passed } = scoreOf(checks);
  for (const line of complaintsOf(checks)) say(`${run.suite} ${run.revision}, client mode: ${line}`);
  if (passed !== run.ceiling) say(`${run.suite} ${run.revision}, client mode: ${passed} passed, not ${run.ceiling}`);
  if (passed < run.ceiling || complaintsOf(checks).length > 0) isGood = false;
}
say(`\n${scoreTable(rows)}\n\n${clientTable(CLIENT_RUNS)}`);
if (values.write) {
  const document = withSection(await readFile(CONFORMANCE_DOCUMENT, "utf8"), SERVER_SECTION, scoreTable(rows));
  await writeFile(CONFORMANCE_DOCUMENT, withSection(document, CLIENT_SECTION, clientTable(CLIENT_RUNS)));
}
process.exitCode = isGood ? 0 : 1;
