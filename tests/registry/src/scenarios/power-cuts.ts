import { Random } from "../random.js";
import { Tally, type Scenario, type ScenarioOptions } from "../scenario.js";
import { checkCuts } from "../sim/sim-cuts.js";
import { runSteps } from "../sim/sim-run.js";
import { SimWorld } from "../sim/sim-world.js";
import { randomSteps } from "../steps.js";

const STEPS = 30;
const IMAGES = 200;

/** The power cut at any moment of a script, with whatever the disk may then hold. A round is one script of {@link IMAGES} images. */
export const powerCuts: Scenario = {
  name: "power-cuts",
  promise: "what durable() or flush() said is done survives a power cut, and what is found is never wrong (R10, R11)",
  short: 55,
  long: 2_000,
  run: async ({ seed, rounds, target }: ScenarioOptions) => {
    const tally = new Tally(powerCuts.name);
    for (let round = 0; round < rounds; round++) {
      const random = new Random(seed + round);
      const steps = randomSteps(random, { steps: STEPS, two: random.chance(0.5) });
      const world = new SimWorld(target);
      const run = await runSteps(steps, { world, processes: [world.start(), world.start()] });
      for (const text of run.unexpected) tally.fail("wrong", seed + round, text);
      tally.acknowledged(run.states.length - 1);
      await checkCuts({ world, run, random, seed: seed + round, images: IMAGES, tally });
    }
    return tally.result();
  },
};
