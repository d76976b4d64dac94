import { parseArgs } from "node:util";
import { hunt } from "./mutants/hunt.js";
import { MUTANTS } from "./mutants/mutants.js";
import { resultTable, type TableRow } from "./result-table.js";
import { DEFAULT_SEED, SCENARIOS } from "./scenarios.js";
import { PRODUCT } from "./target.js";

/**
 * Usage: pnpm suite:registry [--long] [--seed N] [--only NAME]… [--rounds N]. Tries to make the registry lose something, then does the same to copies of it
 * with deliberate bugs. Prints every seed, a table, and for each failure the arguments that show it again; exits 1 when something was lost, wrong or thrown, or a bug
 * was not found.
 */
const { values } = parseArgs({
  options: {
    long: { type: "boolean", default: false },
    seed: { type: "string", default: String(DEFAULT_SEED) },
    rounds: { type: "string" },
    only: { type: "string", multiple: true, default: [] },
  },
});

const MUTANTS_NAME = "mutants";
const seed = Number(values.seed);
const names = [...SCENARIOS.map(({ name }) => name), MUTANTS_NAME];
const unknown = values.only.filter((name) => !names.includes(name));
if (!Number.isSafeInteger(seed)) throw new Error(`--seed must be a whole number, not ${values.seed}`);
if (unknown.length > 0) throw new Error(`nothing is named ${unknown.join()}; there are ${names.join(", ")}`);
const isChosen = (name: string): boolean => values.only.length === 0 || values.only.includes(name);
const say = (line: string): boolean => process.stdout.write(`${line}\n`);

const rows: TableRow[] = [];
let isGood = true;
for (const scenario of SCENARIOS) {
  const rounds = values.rounds === undefined ? (values.long ? scenario.long : scenario.short) : Number(values.rounds);
  if (!isChosen(scenario.name) || rounds === undefined) continue;
  say(`${scenario.name}: ${rounds} rounds from seed ${seed}`);
  const beganAt = performance.now();
  const result = await scenario.run({ seed, rounds, target: PRODUCT });
  rows.push({ name: scenario.name, ...result, seconds: (performance.now() - beganAt) / 1_000 });
  for (const line of [...result.notes, ...result.failures]) say(`  ${line}`);
  if (result.replay !== undefined) say(`  again: pnpm suite:registry ${result.replay}`);
  if (result.lost + result.wrong + result.thrown > 0) isGood = false;
}
if (rows.length > 0) say(`\n${resultTable(rows)}`);

if (isChosen(MUTANTS_NAME)) {
  let caught = 0;
  for (const mutant of MUTANTS) {
    const { isCaught, result } = await hunt(mutant, seed);
    if (isCaught) caught++;
    const what = isCaught ? `caught by ${mutant.caughtBy.name}: ${result.failures[0] ?? ""}` : "NOT CAUGHT";
    say(`mutant "${mutant.name}" (seed ${seed}): ${what.slice(0, 160)}`);
  }
  say(`mutants caught ${caught}/${MUTANTS.length}`);
  if (caught < MUTANTS.length) isGood = false;
}
process.exitCode = isGood ? 0 : 1;
