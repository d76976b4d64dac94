import { expect, test, vi } from "vitest";
import { systemPause } from "../system-pause.js";

test("a pause stops the thread until its time is over, and nobody can end it sooner", () => {
  const wait = vi.spyOn(Atomics, "wait");
  systemPause(0.5);
  expect(wait).toHaveBeenCalledWith(expect.any(Int32Array), 0, 0, 0.5);
  expect(wait).toHaveReturnedWith("timed-out");
});

test.each([0, -1, Number.NaN, Infinity, 2 ** 31])("%d ms are no pause, and none for ever", (ms) => {
  const wait = vi.spyOn(Atomics, "wait");
  systemPause(ms);
  expect(wait).not.toHaveBeenCalled();
});
