import { Random } from "../random.js";
import { Tally, type Scenario, type ScenarioOptions } from "../scenario.js";
import { checkCuts } from "../sim/sim-cuts.js";
import { runSteps } from "../sim/sim-run.js";
import { SimWorld } from "../sim/sim-world.js";
import { randomSteps } from "../steps.js";
import type { Target } from "../target.js";

const STEPS = 22;
const IMAGES = 25;
/** After a sync of the folder has failed, the power may take the name of the first snapshot and leave that of the older one. */
const GONE_AND_REBUILT = /^servers\.json is gone: its \d+ servers? (?:was|were) rebuilt/;

/**
 * A sync that fails, and the next one on the same descriptor that says all is well although the bytes never reached the disk: that is what
 * Linux does. A round is one script, with each of its syncs failing.
 */
export const failedSync: Scenario = {
  name: "failed-sync",
  promise: "what a failed sync has left in doubt is never called durable, even when the next sync succeeds (R11)",
  short: 8,
  long: 300,
  run: async ({ seed, rounds, target }: ScenarioOptions) => {
    const tally = new Tally(failedSync.name);
    for (let round = 0; round < rounds; round++) {
      for (let sync = 1; await failSync(target, seed + round, sync, tally);) sync++;
    }
    return tally.result();
  },
};

/** Whether there was such a sync. */
async function failSync(target: Target, seed: number, at: number, tally: Tally): Promise<boolean> {
  const random = new Random(seed);
  const steps = randomSteps(random, { steps: STEPS });
  const world = new SimWorld(target);
  let syncs = 0;
  let failedAt: number | undefined;
  const process = world.start(({ name }) => {
    if ((name !== "sync" && name !== "datasync") || ++syncs !== at) return undefined;
    failedAt = world.disk.tick;
    return { kind: "error", code: "EIO" };
  });
  const run = await runSteps(steps, { world, processes: [process], mayFail: true });
  if (failedAt === undefined) return false;
  for (const text of run.unexpected) tally.fail("wrong", seed, `EIO at sync ${at}: ${text}`);
  tally.acknowledged(run.states.length - 1);
  await checkCuts({ world, run, random, seed, images: IMAGES, tally, from: failedAt, dueProblem: GONE_AND_REBUILT });
  return true;
}
