/**
 * Does the tasks in their order, at most `lanes` of them at a time. Resolves with what came of each, in the order of the
 * tasks; rejects with the first failure, when those that had begun are over.
 *
 * @template T
 * @param {readonly (() => Promise<T>)[]} tasks
 * @param {number} lanes
 * @returns {Promise<T[]>}
 */
export async function inLanes(tasks, lanes) {
  /** @type {T[]} */
  const results = [];
  const waiting = tasks.entries();
  let hasFailed = false;
  const lane = async () => {
    for (const [at, task] of waiting) {
      if (hasFailed) return;
      try {
        results[at] = await task();
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: lanes }, lane));
  for (const outcome of ended) if (outcome.status === "rejected") throw outcome.reason;
  return results;
}
