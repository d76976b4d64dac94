import { describe, expect, test } from "vitest";
import { startRule } from "../start-width.js";

describe("R18: how many connectors start at a time", () => {
  test.each([1, 4, 16, 64])("%i means that many, whatever they are and whatever they wait for", (width) => {
    const rule = startRule(width, 8);
    expect(rule).toEqual({
      child: { places: width, background: width, most: width },
      other: { places: width, background: width, most: width },
    });
    expect(rule.child).toBe(rule.other);
  });

  test.each([
    [1, 16],
    [2, 16],
    [4, 16],
    [8, 32],
    [64, 256],
  ])(
    "adaptive, with %i processors, begins with %i children, and with what only waits by the hundreds",
    (cores, places) => {
      expect(startRule("adaptive", cores)).toEqual({
        child: { places, background: places / 4, most: 4 * places },
        other: { places: 256, background: 64, most: 1_024 },
        waitingMs: 1_000,
      });
    },
  );

  test("adaptive asks the machine how many processors there are", () => {
    expect(startRule("adaptive").child.places).toBeGreaterThanOrEqual(16);
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("%d is no width", (width) => {
    expect(() => startRule(width)).toThrow(TypeError);
  });
});
