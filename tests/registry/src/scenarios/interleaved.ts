import { contentOf, isSame, serverOf } from "../content.js";
import { described, isIoRefusal } from "../errors.js";
import { Random } from "../random.js";
import { Tally, type Scenario, type ScenarioOptions } from "../scenario.js";
import { REGISTRY_PATH, SimWorld } from "../sim/sim-world.js";
import type { Cache, Target } from "../target.js";

const STEPS = 14;

/**
 * Another process that makes a change at each call of the first one: all the ways in which two can meet, one by one. A round is one script. In
 * the middle of a section the other is refused, which is what the lock is for.
 */
export const interleaved: Scenario = {
  name: "interleaved",
  promise: "two processes lose nothing, at whichever call of the one the other writes (R12)",
  short: 5,
  long: 200,
  run: async ({ seed, rounds, target }: ScenarioOptions) => {
    const tally = new Tally(interleaved.name);
    for (let round = 0; round < rounds; round++) {
      for (let call = 1; await meetAt(target, seed + round, call, tally);) call++;
    }
    return tally.result();
  },
};

/** Whether the first process made so many calls. */
async function meetAt(target: Target, seed: number, call: number, tally: Tally): Promise<boolean> {
  const random = new Random(seed);
  const world = new SimWorld(target);
  const done: string[] = [];
  let met = "";
  const begun: Promise<unknown>[] = [];
  const other = world.start();
  const second = other.cache();
  await second.init();
  const first = world.start((made) => {
    if (made.index !== call) return undefined;
    met = `call ${call} (${made.name} ${made.path.slice(REGISTRY_PATH.length)})`;
    write(second, serverOf("other", "wrote"), done);
    // And goes on to write a snapshot, between the calls of the first.
    if (call % 2 === 0) begun.push(second.flush().catch(ioRefusal));
    return undefined;
  });
  try {
    await work(first.cache(), random, done);
    await Promise.all(begun);
    if (met === "") return false;
    tally.round();
    tally.acknowledged(done.length);
    await second.refresh();
    check(second, done, "the other", met, seed, tally);
    await second.close();
    const third = world.start().cache();
    await third.init();
    check(third, done, "a third", met, seed, tally);
    for (const problem of third.problems) tally.fail("wrong", seed, `${met}: it complains: ${problem}`);
    await third.close();
  } catch (error) {
    tally.fail("thrown", seed, `${met}: ${described(error)}`);
  }
  return met !== "";
}

/** Changes, flushes and journals that are closed: whatever takes a section. */
async function work(cache: Cache, random: Random, done: string[]): Promise<void> {
  await cache.init();
  for (let step = 0; step < STEPS; step++) {
    write(cache, serverOf(`s${step}`, `v${step}`, random.chance(0.5) ? 400 : 0), done);
    if (random.chance(0.3)) await cache.flush();
    if (random.chance(0.3)) await cache.durable();
  }
  await cache.close();
}

function write(cache: Cache, server: ReturnType<typeof serverOf>, done: string[]): void {
  try {
    cache.upsert(server);
    done.push(...contentOf([server]));
  } catch (error) {
    // Within a section of this very thread it is INTERNAL: between processes the lock would be waited for.
    if (!isIoRefusal(error) && !described(error).includes("within another")) throw error;
  }
}

function ioRefusal(error: unknown): void {
  if (!isIoRefusal(error)) throw error;
}

/** In whatever order: which of the two was first is their matter. */
function check(cache: Cache, done: readonly string[], who: string, met: string, seed: number, tally: Tally): void {
  const found = contentOf(cache.getAll()).toSorted();
  const expected = done.toSorted();
  if (isSame(found, expected)) return;
  const isLost = expected.some((text) => !found.includes(text));
  tally.fail(isLost ? "lost" : "wrong", seed, `${met}: ${who} finds [${found.join(" ")}], not [${expected.join(" ")}]`);
}
