import { describe, expect, test } from "vitest";
import { runShort } from "../run-short.js";
import { cutFiles } from "../scenarios/cut-files.js";
import { flippedBits } from "../scenarios/flipped-bits.js";
import { overwrites } from "../scenarios/overwrites.js";

// In short form; `pnpm suite:registry --long` is the whole.

const MOST_MS = 600_000;

describe("a registry whose files are damaged loses nothing that can still be read", () => {
  test.each([cutFiles, flippedBits, overwrites].map((scenario) => [scenario.promise, scenario] as const))(
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
