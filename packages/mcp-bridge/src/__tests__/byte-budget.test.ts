import { describe, expect, test } from "vitest";
import { ByteBudget } from "../byte-budget.js";

describe("a budget of held bytes (R8)", () => {
  test("gives until its bound is reached, names it then, and gives again what came back", () => {
    const budget = new ByteBudget(10);
    expect(budget.take(6)).toBeUndefined();
    expect(budget.take(5)).toBe(10);
    expect(budget.held).toBe(6);
    expect(budget.take(4)).toBeUndefined();
    budget.give(10);
    expect(budget.held).toBe(0);
  });

  test("what several take together is bounded by the one they are part of, and nothing is taken when it refuses", () => {
    const all = new ByteBudget(10);
    const [one, two] = [new ByteBudget(8, all), new ByteBudget(8, all)];
    expect(one.take(8)).toBeUndefined();
    expect(two.take(3)).toBe(10);
    expect([one.held, two.held, all.held]).toEqual([8, 0, 8]);
    one.give(8);
    expect(two.take(3)).toBeUndefined();
    expect(all.held).toBe(3);
  });

  test.each([0, -1, Number.NaN])("a bound of %s is refused", (maxBytes) => {
    expect(() => new ByteBudget(maxBytes)).toThrow(RangeError);
  });
});
