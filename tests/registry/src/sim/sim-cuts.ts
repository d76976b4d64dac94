import type { SimDisk, SimFate, SimOp } from "@cortex-os/mcp-registry/testing";
import { contentOf, isSame, serverOf, type Content } from "../content.js";
import { described } from "../errors.js";
import type { Random } from "../random.js";
import type { Tally } from "../scenario.js";
import { checkAftermath } from "./sim-aftermath.js";
import type { SimRun } from "./sim-run.js";
import type { SimWorld } from "./sim-world.js";

/** Which power cuts to try. */
export interface CutOptions {
  readonly world: SimWorld;
  readonly run: SimRun;
  readonly random: Random;
  readonly seed: number;
  readonly images: number;
  readonly tally: Tally;
  /** The first tick to cut at. @default 0 */
  readonly from?: number;
  /** What may be complained of. @default nothing */
  readonly dueProblem?: RegExp;
}

const SECTOR_BYTES = 512;
/** One image in so many is cut once more, after a change that was promised. */
const SECOND_CUTS = 6;

/** Cuts the power at random moments, half of the time with a disk that keeps the order of its writes, and looks at what is left. */
export async function checkCuts({
  world,
  run,
  random,
  seed,
  images,
  tally,
  from = 0,
  dueProblem,
}: CutOptions): Promise<void> {
  for (let image = 0; image < images; image++) {
    const tick = from + random.int(world.disk.tick - from + 1);
    const pending = world.disk.pending(tick);
    const ordered = random.chance(0.5);
    const fates = ordered ? orderedFates(random, pending) : unorderedFates(random, pending);
    const next = world.after(world.disk.image(tick, (_, index) => fates[index] ?? "lost"));
    const least = run.promised.reduce(
      (most, { tick: at, changes }) => (at <= tick ? Math.max(most, changes) : most),
      0,
    );
    // A change that was begun after the cut cannot be there.
    const allowed = run.states.filter(
      (_, index) => index >= least && (index === 0 || (run.begunAt[index] ?? 0) <= tick),
    );
    const kept = fates.filter((fate) => fate !== "lost").length;
    const what = `power cut at tick ${tick}, ${ordered ? "ordered" : "unordered"}, ${kept} of ${pending.length} kept, image ${image}`;
    tally.round();
    if (image % SECOND_CUTS === 0) await checkSecondCut(next, { allowed, seed, what, tally });
    else {
      const due = dueProblem === undefined ? {} : { dueProblem };
      await checkAftermath(next, tally, { allowed, known: run.known, seed, what, ...due });
    }
  }
}

/** What recovery leaves behind must carry the next promise: a change, `durable()`, and the power is cut again. */
async function checkSecondCut(
  world: SimWorld,
  {
    allowed,
    seed,
    what,
    tally,
  }: { readonly allowed: readonly Content[]; readonly seed: number; readonly what: string; readonly tally: Tally },
): Promise<void> {
  const server = serverOf("second", "promised");
  try {
    const cache = world.start().cache();
    await cache.init();
    const found = contentOf(cache.getAll());
    if (!allowed.some((content) => isSame(content, found))) {
      return tally.fail("lost", seed, `${what}: found [${found.join(" ")}]`);
    }
    cache.upsert(server);
    await cache.durable();
    const again = world.after(allLost(world.disk)).start().cache();
    await again.init();
    const seen = contentOf(again.getAll());
    const expected = [...found, ...contentOf([server])];
    if (isSame(seen, expected)) return;
    tally.fail(
      "lost",
      seed,
      `${what}, a promise and a second cut: found [${seen.join(" ")}], not [${expected.join(" ")}]`,
    );
  } catch (error) {
    tally.fail("thrown", seed, `${what}: ${described(error)}`);
  }
}

const allLost = (disk: SimDisk): SimDisk => disk.image(disk.tick, () => "lost");

/** What was done first is kept, what was done last is not; the write between may be torn. */
function orderedFates(random: Random, pending: readonly SimOp[]): readonly SimFate[] {
  const kept = random.int(pending.length + 1);
  return pending.map((op, index) => {
    if (index < kept) return "kept";
    return index === kept && random.chance(0.5) ? tornOrLost(random, op) : "lost";
  });
}

/** Each by itself, as on a disk that reorders. */
function unorderedFates(random: Random, pending: readonly SimOp[]): readonly SimFate[] {
  const likely = random.pick([0, 0.1, 0.5, 0.9]);
  return pending.map((op) => {
    if (random.chance(likely)) return "kept";
    return random.chance(0.2) ? tornOrLost(random, op) : "lost";
  });
}

function tornOrLost(random: Random, { change }: SimOp): SimFate {
  if (change.kind !== "write") return "lost";
  if (random.chance(0.5)) return { cut: random.int(change.bytes.length) };
  const first = Math.floor(change.offset / SECTOR_BYTES);
  const last = Math.floor((change.offset + change.bytes.length) / SECTOR_BYTES);
  return {
    zeroed: Array.from({ length: last - first + 1 }, (_, index) => first + index).filter(() => random.chance(0.6)),
  };
}
