import { describe, expect, test } from "vitest";
import { resultTable } from "../result-table.js";
import type { Scenario } from "../scenario.js";
import { DEFAULT_SEED } from "../scenarios.js";
import { PRODUCT } from "../target.js";

const MOST_MS = 600_000;

/** Tests of scenarios in short form, each with its line of the table and its seed; `pnpm suite:registry --long` is the whole. */
export function describeScenarios(registry: string, scenarios: readonly Scenario[]): void {
  describe(`${registry} loses nothing`, () => {
    const named = scenarios.map((scenario) => [scenario.promise, scenario] as const);
    test.each(named)("%s", { timeout: MOST_MS }, async (_, { name, run, short = 1 }) => {
      const beganAt = performance.now();
      const result = await run({ seed: DEFAULT_SEED, rounds: short, target: PRODUCT });
      const seconds = (performance.now() - beganAt) / 1_000;
      process.stdout.write(`seed ${DEFAULT_SEED}\n${resultTable([{ name, ...result, seconds }])}\n`);
      const { lost, wrong, thrown, failures, replay, skipped, acknowledged } = result;
      const isWell = { lost: 0, wrong: 0, thrown: 0, failures: [], replay: undefined };
      expect({ lost, wrong, thrown, failures, replay }).toEqual(isWell);
      if (skipped === undefined) expect(acknowledged).toBeGreaterThan(0);
    });
  });
}
