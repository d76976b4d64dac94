import { describe, expect, test } from "vitest";
import { runShort } from "../run-short.js";
import { killAtCall } from "../scenarios/kill-at-call.js";
import { powerCuts } from "../scenarios/power-cuts.js";
import { interleaved } from "../scenarios/interleaved.js";
import { model } from "../scenarios/model.js";

// In short form; `pnpm suite:registry --long` is the whole.

const MOST_MS = 600_000;

describe("a registry on a simulated disk loses nothing", () => {
  test.each([killAtCall, powerCuts, interleaved, model].map((scenario) => [scenario.promise, scenario] as const))(
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
