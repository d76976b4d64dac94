import { setImmediate } from "node:timers/promises";

/** Calls `each` in every turn of the event loop until `work` is done. */
export async function inEveryTurn(work: () => Promise<unknown>, each: () => void): Promise<void> {
  const state = { isDone: false };
  const run = async (): Promise<void> => {
    try {
      await work();
    } finally {
      state.isDone = true;
    }
  };
  const look = async (): Promise<void> => {
    while (!state.isDone) {
      each();
      await setImmediate();
    }
  };
  await Promise.all([run(), look()]);
}

/** The longest time, in milliseconds, for which nothing else could run while `work` was done. */
export async function longestTurnMs(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let before = performance.now();
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - before);
    before = now;
  };
  await inEveryTurn(work, look);
  look();
  return longest;
}
