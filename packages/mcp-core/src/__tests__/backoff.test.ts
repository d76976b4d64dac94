import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { backoffDelayMs } from "../backoff.js";
import { fixedRandom } from "../testing/fixed-random.js";

const policy = { baseMs: 100, maxMs: 10_000 };

describe("backoffDelayMs (R8)", () => {
  test.each([
    [0, 0.5, 50],
    [1, 0.5, 100],
    [2, 0.5, 200],
    [6, 0.5, 3_200],
    [7, 0.5, 5_000],
    [1_000, 0.5, 5_000],
    [0, 0, 10],
    [0, 0.099, 10],
    [0, 0.999_999, 99],
    [Number.MAX_SAFE_INTEGER, 0.999_999, 9_999],
  ])("after %i failures and a draw of %d it is %i ms", (attempt, draw, expected) => {
    expect(backoffDelayMs(attempt, policy, fixedRandom(draw))).toBe(expected);
  });

  test("a base of 0 ms stays 0 after any number of failures", () => {
    expect(backoffDelayMs(5_000, { baseMs: 0, maxMs: 10_000 }, fixedRandom(0.5))).toBe(0);
  });

  test("is a whole number from a tenth of the ceiling up to below it, for any policy", () => {
    const draws = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const bounds = fc.record({
      baseMs: fc.integer({ min: 1, max: 60_000 }),
      maxMs: fc.integer({ min: 1, max: 3_600_000 }),
    });
    fc.assert(
      fc.property(fc.nat(100), bounds, draws, (attempt, { baseMs, maxMs }, draw) => {
        const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
        const delayMs = backoffDelayMs(attempt, { baseMs, maxMs }, fixedRandom(draw));
        expect(Number.isInteger(delayMs)).toBe(true);
        expect(delayMs).toBeGreaterThanOrEqual(Math.floor(ceiling * 0.1));
        expect(delayMs).toBeLessThan(ceiling);
      }),
    );
  });
});
