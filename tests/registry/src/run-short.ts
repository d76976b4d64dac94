import { resultTable } from "./result-table.js";
import type { Scenario, ScenarioResult } from "./scenario.js";
import { DEFAULT_SEED } from "./scenarios.js";
import { PRODUCT } from "./target.js";

/** Runs a scenario's short form and prints its line of the table, with the seed. */
export async function runShort({ name, run, short = 1 }: Scenario): Promise<ScenarioResult> {
  const beganAt = performance.now();
  const result = await run({ seed: DEFAULT_SEED, rounds: short, target: PRODUCT });
  const seconds = (performance.now() - beganAt) / 1_000;
  process.stdout.write(`seed ${DEFAULT_SEED}\n${resultTable([{ name, ...result, seconds }])}\n`);
  return result;
}
