import { expect, test } from "vitest";
import { systemClock, systemMonotonic } from "../system-clock.js";
import { systemRandom } from "../system-random.js";

test("systemClock tells milliseconds since the epoch (R17)", () => {
  const before = Date.now();
  const now = systemClock.now();
  expect(now).toBeGreaterThanOrEqual(before);
  expect(now).toBeLessThanOrEqual(Date.now());
});

test("systemMonotonic never runs backwards (R17)", () => {
  const readings = Array.from({ length: 1_000 }, () => systemMonotonic.elapsedMs());
  expect(readings).toEqual(readings.toSorted((a, b) => a - b));
});

test("systemRandom draws from [0, 1), not always the same (R17)", () => {
  const draws = Array.from({ length: 1_000 }, () => systemRandom.next());
  expect(draws.every((draw) => draw >= 0 && draw < 1)).toBe(true);
  expect(new Set(draws).size).toBeGreaterThan(900);
});
