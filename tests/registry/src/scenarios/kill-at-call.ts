import type { SimFault } from "@cortex-os/mcp-registry/testing";
import { Random } from "../random.js";
import { Tally, type Scenario, type ScenarioOptions } from "../scenario.js";
import { checkAftermath } from "../sim/sim-aftermath.js";
import { runSteps, type SimRun } from "../sim/sim-run.js";
import { SimWorld } from "../sim/sim-world.js";
import { randomSteps, type Step } from "../steps.js";
import type { Target } from "../target.js";

const STEPS = 24;

/** A process killed before each call it makes to the file system, and in the middle of each write. A round is one script, killed at all its calls. */
export const killAtCall: Scenario = {
  name: "kill-at-call",
  promise: "a process killed at any call to the file system loses nothing that it acknowledged (R10, R11)",
  short: 6,
  long: 200,
  run: async ({ seed, rounds, target }: ScenarioOptions) => {
    const tally = new Tally(killAtCall.name);
    for (let round = 0; round < rounds; round++) await killEverywhere(target, seed + round, tally);
    return tally.result();
  },
};

async function killEverywhere(target: Target, seed: number, tally: Tally): Promise<void> {
  const random = new Random(seed);
  const steps = randomSteps(random, { steps: STEPS, two: random.chance(0.5) });
  for (let call = 1; ; call++) {
    const wrote = random.int(80);
    const whole = await killAt(target, steps, { call, fault: { kind: "kill" } }, seed, tally);
    // A call that no script comes to: all were tried.
    if (!whole.run.killed) return;
    if (whole.name === "write") {
      await killAt(target, steps, { call, fault: { kind: "kill", wrote } }, seed, tally);
    }
  }
}

async function killAt(
  target: Target,
  steps: readonly Step[],
  { call, fault }: { readonly call: number; readonly fault: SimFault },
  seed: number,
  tally: Tally,
): Promise<{ readonly run: SimRun; readonly name: string }> {
  const world = new SimWorld(target);
  let name = "";
  const victim = world.start((made) => {
    if (made.index !== call) return undefined;
    ({ name } = made);
    return fault;
  });
  const run = await runSteps(steps, { world, processes: [victim, world.start()] });
  victim.kill();
  tally.round();
  tally.acknowledged(run.states.length - 1);
  const what = `killed at call ${call} (${name})`;
  for (const text of run.unexpected) tally.fail("wrong", seed, `${what}: ${text}`);
  const last = run.states.at(-1) ?? [];
  const allowed = run.perhaps === undefined ? [last] : [last, run.perhaps];
  await checkAftermath(world, tally, { allowed, known: run.known, seed, what });
  return { run, name };
}
