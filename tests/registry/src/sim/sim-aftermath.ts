import { contentOf, isSame, judge, serverOf, type Expectation } from "../content.js";
import { described } from "../errors.js";
import type { Tally } from "../scenario.js";
import type { SimWorld } from "./sim-world.js";

/** The server that is added after everything, to see whether the registry still works. */
const AFTERWARDS = serverOf("afterwards", "works");

/**
 * Opens the registry as the next process would and holds what it finds against what may be there; then goes on working with it: a change,
 * a flush, and a fresh look by another process.
 */
export async function checkAftermath(world: SimWorld, tally: Tally, expectation: Expectation): Promise<void> {
  const { seed, what, dueProblem } = expectation;
  try {
    const process = world.start();
    const cache = process.cache();
    await cache.init();
    const found = contentOf(cache.getAll());
    if (!judge(tally, found, expectation)) return;
    for (const problem of cache.problems) {
      if (dueProblem?.test(problem) !== true) tally.fail("wrong", seed, `${what}: it complains: ${problem}`);
    }
    cache.upsert(AFTERWARDS);
    const expected = [...found, ...contentOf([AFTERWARDS])];
    await cache.flush();
    const other = world.start().cache();
    await other.init();
    const seen = contentOf(other.getAll());
    if (!isSame(seen, expected)) {
      tally.fail(
        "lost",
        seed,
        `${what}, and a change and a flush: found [${seen.join(" ")}], not [${expected.join(" ")}]`,
      );
    }
    await other.close();
    await cache.close();
    const left = process.mount.openPaths;
    if (left.length > 0) tally.fail("wrong", seed, `${what}: after close() ${left.join(", ")} stayed open`);
  } catch (error) {
    tally.fail("thrown", seed, `${what}: ${described(error)}`);
  }
}
