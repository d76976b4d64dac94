import type { SimFault } from "@cortex-os/mcp-registry/testing";
import { contentOf, judge } from "../content.js";
import { described } from "../errors.js";
import { Random } from "../random.js";
import { Tally, type Scenario, type ScenarioOptions } from "../scenario.js";
import { checkAftermath } from "../sim/sim-aftermath.js";
import { runSteps, type SimRun } from "../sim/sim-run.js";
import { SimWorld } from "../sim/sim-world.js";
import { randomSteps, type Step } from "../steps.js";
import type { Target } from "../target.js";

const STEPS = 14;
/** No ENOENT and no EEXIST: to a program these are no failures but answers. */
const CODES = [
  ...["ENOSPC", "EIO", "EACCES", "EROFS", "EDQUOT", "EMFILE", "ENFILE", "EPERM", "EINTR", "EBUSY", "ETIMEDOUT"],
  ...["ENOTCONN", "ESTALE", "ENOMEM", "ENODEV"],
];
/** How long a disk that refuses goes on refusing, in calls. */
const REFUSES = [1, 3, 20, Infinity];

/** Every call to the file system failing, with every code. A round is one script with failures at all its calls. */
export const faults: Scenario = {
  name: "faults",
  promise:
    "a disk that refuses, at whatever call and with whatever code, loses nothing; once it works again everything does (R10, R11)",
  short: 1,
  long: 30,
  run: async ({ seed, rounds, target }: ScenarioOptions) => {
    const tally = new Tally(faults.name);
    for (let round = 0; round < rounds; round++) await failEverywhere(target, seed + round, tally);
    return tally.result();
  },
};

async function failEverywhere(target: Target, seed: number, tally: Tally): Promise<void> {
  const random = new Random(seed);
  const steps = randomSteps(random, { steps: STEPS, two: random.chance(0.3) });
  for (let call = 1; ; call++) {
    const attempts: readonly Omit<Failing, "call">[] = [
      ...CODES.map((code) => ({ fault: { kind: "error", code }, calls: 1 }) as const),
      { fault: { kind: "error", code: random.pick(CODES) }, calls: random.pick(REFUSES) },
      { fault: { kind: "short", bytes: random.int(30) + 1 }, calls: 1 },
    ];
    let came = false;
    for (const { fault, calls } of attempts) {
      const reached = await failAt(target, steps, { call, fault, calls }, seed, tally);
      came ||= reached;
    }
    if (!came) return;
  }
}

/** What goes wrong: from which call on, and for how many. */
interface Failing {
  readonly call: number;
  readonly fault: SimFault;
  readonly calls: number;
}

async function failAt(
  target: Target,
  steps: readonly Step[],
  { call, fault, calls }: Failing,
  seed: number,
  tally: Tally,
): Promise<boolean> {
  const world = new SimWorld(target);
  let healed = false;
  let name: string | undefined;
  const victim = world.start((made) => {
    if (healed || made.index < call || made.index >= call + calls) return undefined;
    name ??= made.name;
    return fault;
  });
  const run = await runSteps(steps, { world, processes: [victim], mayFail: true });
  healed = true;
  if (name === undefined) return false;
  if (fault.kind === "short" && name !== "write") return true;
  tally.round();
  tally.acknowledged(run.states.length - 1);
  const code = fault.kind === "error" ? fault.code : "a short write";
  const what = `${code} at call ${call} (${name}), ${calls} times`;
  for (const text of run.unexpected) tally.fail("wrong", seed, `${what}: ${text}`);
  await checkHealed(run, tally, seed, what);
  // A lock that could not be given back goes with the next section, or with its process.
  if (run.open.length === 0) victim.kill();
  await checkAftermath(world, tally, { allowed: [run.states.at(-1) ?? []], known: run.known, seed, what });
  const left = victim.mount.openPaths;
  if (left.length > 0) tally.fail("wrong", seed, `${what}: after close() ${left.join(", ")} stayed open`);
  return true;
}

/** The instances that saw the failure work again: what they hold is what was acknowledged, and it can be written. */
async function checkHealed(run: SimRun, tally: Tally, seed: number, what: string): Promise<void> {
  for (const cache of run.open) {
    try {
      cache.remove("nothing");
      await cache.flush();
      await cache.refresh();
      judge(tally, contentOf(cache.getAll()), { allowed: [run.states.at(-1) ?? []], known: run.known, seed, what });
      for (const problem of cache.problems) tally.fail("wrong", seed, `${what}: it still complains: ${problem}`);
      if (cache.health !== "ok") tally.fail("wrong", seed, `${what}: its health is still ${cache.health}`);
      await cache.close();
    } catch (error) {
      tally.fail("thrown", seed, `${what}, and the disk works again: ${described(error)}`);
    }
  }
  for (const cache of run.unclosed) {
    await cache.close().catch((error: unknown) => {
      tally.fail("thrown", seed, `${what}, and close() again: ${described(error)}`);
    });
  }
}
