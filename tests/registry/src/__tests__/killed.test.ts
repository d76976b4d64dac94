import { describe, expect, test } from "vitest";
import { runShort } from "../run-short.js";
import { killRandom } from "../scenarios/kill-random.js";
import { manyWriters } from "../scenarios/many-writers.js";
import { reusedPid } from "../scenarios/reused-pid.js";

// In short form; `pnpm suite:registry --long` is the whole.

const MOST_MS = 600_000;

describe("a registry whose processes are killed loses nothing", () => {
  test.each([killRandom, manyWriters, reusedPid].map((scenario) => [scenario.promise, scenario] as const))(
    "%s",
    { timeout: MOST_MS },
    async (_, scenario) => {
      const { lost, wrong, thrown, failures, replay, skipped, acknowledged } = await runShort(scenario);
      expect({ lost, wrong, thrown, failures, replay }).toEqual({
        lost: 0,
        wrong: 0,
        thrown: 0,
        failures: [],
        replay: undefined,
      });
      if (skipped === undefined) expect(acknowledged).toBeGreaterThan(0);
    },
  );
});
