import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { inLanes } from "../in-lanes.mjs";

test("does at most so many at a time, each once, and answers in the order of the tasks", async () => {
  let now = 0;
  let most = 0;
  const taskOf = (/** @type {number} */ turns) => async () => {
    most = Math.max(most, ++now);
    for (let turn = 0; turn < turns; turn++) await setImmediate();
    now--;
    return turns;
  };
  expect(await inLanes([5, 1, 1, 3].map(taskOf), 2)).toEqual([5, 1, 1, 3]);
  expect(most).toBe(2);
  expect(await inLanes([], 2)).toEqual([]);
});

test("begins nothing more after a failure, and ends when what had begun is over", async () => {
  /** @type {string[]} */
  const done = [];
  const fail = async () => Promise.reject(new Error("no such script"));
  const slow = async () => {
    await setImmediate();
    await setImmediate();
    done.push("slow");
  };
  const never = async () => void done.push("never");
  await expect(inLanes([fail, slow, never, never], 2)).rejects.toThrow("no such script");
  expect(done).toEqual(["slow"]);
});
