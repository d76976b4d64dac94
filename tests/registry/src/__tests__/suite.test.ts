import { describe, expect, test } from "vitest";
import { hunt } from "../mutants/hunt.js";
import { MUTANTS } from "../mutants/mutants.js";
import { resultTable } from "../result-table.js";
import { DEFAULT_SEED, SCENARIOS } from "../scenarios.js";
import { PRODUCT } from "../target.js";

// The short form of the suite. `pnpm suite:registry` runs it with a table, `--long` the whole.

const MINUTE_MS = 60_000;
const short = SCENARIOS.flatMap((scenario) =>
  scenario.short === undefined ? [] : [{ ...scenario, rounds: scenario.short }],
);

describe("the registry loses nothing", () => {
  test.each(short)("$promise", { timeout: 10 * MINUTE_MS }, async ({ name, run, rounds }) => {
    const beganAt = performance.now();
    const result = await run({ seed: DEFAULT_SEED, rounds, target: PRODUCT });
    const seconds = (performance.now() - beganAt) / 1_000;
    console.log(`seed ${DEFAULT_SEED}\n${resultTable([{ name, ...result, seconds }])}`);
    const { lost, wrong, thrown, failures, replay } = result;
    expect({ lost, wrong, thrown, failures, replay }).toEqual({
      lost: 0,
      wrong: 0,
      thrown: 0,
      failures: [],
      replay: undefined,
    });
    if (result.skipped === undefined) expect(result.acknowledged).toBeGreaterThan(0);
  });
});

describe("a registry with a deliberate bug is caught", () => {
  test.each(MUTANTS)("$name", { timeout: 5 * MINUTE_MS }, async (mutant) => {
    const { isCaught, result } = await hunt(mutant, DEFAULT_SEED);
    expect({ isCaught, acknowledged: result.acknowledged > 0 }).toEqual({ isCaught: true, acknowledged: true });
  });
});
