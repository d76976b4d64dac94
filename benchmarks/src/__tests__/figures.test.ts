import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { inEveryTurn, longestTurnMs } from "../event-loop.js";
import { Figures, inTurns, msOf, msOfCall } from "../figures.js";

const of = { benchmark: "b", measure: "m", unit: "µs", is: { baseline: "before", optimised: "after" } } as const;

test("each percentile of every round is a comparison in its unit, and the first round does not count (R18)", () => {
  const figures = new Figures(of, [50, 100]);
  figures.addRound({ baseline: [9], optimised: [9] });
  figures.addRound({ baseline: [0.001, 0.002, 0.003], optimised: [0.004, 0.004, 0.016] });
  expect(figures.comparisons).toEqual([
    { ...of, measure: "m, p50", rounds: [{ baseline: 2, optimised: 4 }] },
    { ...of, measure: "m, longest", rounds: [{ baseline: 3, optimised: 16 }] },
  ]);
});

test("nothing was measured while there is only the round that warms up", () => {
  const figures = new Figures(of, [50]);
  figures.addRound({ baseline: [1], optimised: [1] });
  expect(() => figures.comparisons).toThrow("cannot compare 0 rounds");
});

test("the sides take turns in alternating order", async () => {
  const order: string[] = [];
  const side = (name: string) => (at: number) => order.push(`${name}${at}`);
  expect(await inTurns(2, { baseline: side("b"), optimised: side("o") })).toEqual({
    baseline: [2, 3],
    optimised: [1, 4],
  });
  expect(order).toEqual(["o0", "b0", "b1", "o1"]);
});

test("work is measured until it is done, and its failure is one of the measurement", async () => {
  expect(await msOf(async () => setImmediate())).toBeGreaterThan(0);
  expect(msOfCall(() => [])).toBeGreaterThanOrEqual(0);
  await expect(longestTurnMs(async () => Promise.reject(new Error("no disk")))).rejects.toThrow("no disk");
});

test("in every turn until the work is done something is called, and the longest turn is told", async () => {
  let turns = 0;
  const work = async (): Promise<void> => {
    await setImmediate();
    await setImmediate();
  };
  await inEveryTurn(work, () => turns++);
  expect(turns).toBeGreaterThan(1);
  expect(await longestTurnMs(work)).toBeGreaterThan(0);
});
