import { describe, expect, test } from "vitest";
import { hunt } from "../mutants/hunt.js";
import { MUTANTS } from "../mutants/mutants.js";
import { DEFAULT_SEED } from "../scenarios.js";

const MOST_MS = 300_000;

describe("a registry with a deliberate bug is caught", () => {
  test.each(MUTANTS)("$name", { timeout: MOST_MS }, async (mutant) => {
    const { isCaught, result } = await hunt(mutant, DEFAULT_SEED);
    expect({ isCaught, acknowledged: result.acknowledged > 0 }).toEqual({ isCaught: true, acknowledged: true });
  });
});
