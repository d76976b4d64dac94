import { parseArgs } from "node:util";
import { comparisonTable } from "./comparison-report.js";
import { suitesOf, type SuiteResult } from "./suites.js";
import { writeDocs } from "./write-docs.js";
import { missingIn, rowsOf, writeResults } from "./write-results.js";

/**
 * Usage: pnpm bench [SUITE]… [--quick] [--out FOLDER]; `--only SUITE` is another way to name one. Prints tables and writes `benchmark-results.json` and `latency-comparison.csv`. It fails only
 * when it could not measure: speed on a shared machine is no verdict.
 *
 * Usage: pnpm bench --write-docs [--out FOLDER]. Measures nothing: puts the results of `docs/performance`, or of FOLDER, in their places in `docs/*.md`.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    out: { type: "string" },
    "write-docs": { type: "boolean", default: false },
  },
});

if (values["write-docs"]) {
  const changed = await writeDocs("docs", values.out ?? "docs/performance");
  process.stdout.write(changed.map((file) => `${file} is up to date now\n`).join("") || "nothing to change\n");
} else {
  await bench(values.out ?? "reports");
}

async function bench(out: string): Promise<void> {
  const suites = suitesOf(values.quick);
  const names = suites.map(({ name }) => name);
  const chosen = [...positionals, ...values.only];
  const unknown = chosen.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`no suite is named ${unknown.join()}; there are ${names.join(", ")}`);

  const results: Record<string, SuiteResult> = {};
  for (const { name, run } of suites) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    const result = await run((done, all) => process.stderr.write(`${name}: round ${done} of ${all}\n`));
    if (result.text !== undefined) process.stdout.write(`${result.text}\n`);
    results[name] = result;
    // After each suite: what was measured stays, should the next one not come to its end.
    const files = await writeResults(out, results, { quick: values.quick });
    process.stderr.write(`${name}: in ${files.join(" and ")}\n`);
  }
  process.stdout.write(comparisonTable(rowsOf(results)));
  const missing = missingIn(results);
  if (missing.length > 0) throw new Error(`measured, and nothing came of it: ${missing.join("; ")}`);
}
