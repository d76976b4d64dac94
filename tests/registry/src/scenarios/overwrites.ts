import { judgeDamaged, openDamaged } from "../damage/open-damaged.js";
import { registryBefore, SUFFIXES, type Suffix } from "../damage/registry-before.js";
import { Random } from "../random.js";
import { Tally, type Scenario, type ScenarioOptions } from "../scenario.js";

const TRIES = 300;

/** Parts of the files overwritten, with chance, zeros or another part of the same file. A round is one registry, damaged {@link TRIES} times. */
export const overwrites: Scenario = {
  name: "overwrites",
  promise:
    "whatever is written over a file, nothing that was flushed is lost; whatever over all of them, it opens (R11)",
  short: 6,
  long: 200,
  run: async ({ seed, rounds, target }: ScenarioOptions) => {
    const tally = new Tally(overwrites.name);
    for (let round = 0; round < rounds; round++) {
      const random = new Random(seed + round);
      const before = await registryBefore(target, seed + round);
      tally.acknowledged(before.states.length - 1);
      for (let attempt = 0; attempt < TRIES; attempt++) {
        const several = random.chance(0.3);
        const hit = several ? SUFFIXES.filter(() => random.chance(0.6)) : [random.pick(SUFFIXES)];
        const files: Record<Suffix, Uint8Array> = { ...before.files };
        for (const suffix of hit) files[suffix] = overwritten(before.files[suffix], random);
        const what = `attempt ${attempt}: ${hit.map((suffix) => `servers.json${suffix}`).join(", ")} overwritten`;
        const damaged = { target, before, files, what, seed: seed + round, tally, goOn: true };
        const found = await openDamaged(damaged);
        // Of several damaged files nothing is promised but that they open, and that what they give existed.
        if (found !== undefined && hit.length === 1) judgeDamaged(found, damaged);
        else if (found !== undefined && !found.isHandEdit && found.content.some((text) => !before.known.has(text))) {
          tally.fail("wrong", seed + round, `${what}: found [${found.content.join(" ")}]`);
        }
      }
    }
    return tally.result();
  },
};

function overwritten(bytes: Uint8Array, random: Random): Uint8Array {
  const result = Uint8Array.from(bytes);
  for (let ranges = random.int(3) + 1; ranges > 0; ranges--) {
    const start = random.int(result.length);
    const end = Math.min(result.length, start + 1 + random.int(random.chance(0.5) ? 16 : result.length));
    const from = random.int(result.length);
    const manner = random.pick(["chance", "zeros", "moved"] as const);
    for (let at = start; at < end; at++) {
      if (manner === "chance") result[at] = random.int(256);
      else result[at] = manner === "zeros" ? 0 : (bytes[(from + at - start) % bytes.length] ?? 0);
    }
  }
  return result;
}
