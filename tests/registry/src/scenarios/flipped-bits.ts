import { judgeDamaged, openDamaged } from "../damage/open-damaged.js";
import { registryBefore, SUFFIXES } from "../damage/registry-before.js";
import { Tally, type Scenario, type ScenarioOptions } from "../scenario.js";

const BITS = 8;
/** After one flip in so many, a prime, the registry is used on. */
const GO_ON = 23;

/** Every bit of every file flipped, one at a time. A round is one registry. */
export const flippedBits: Scenario = {
  name: "flipped-bits",
  promise: "a flipped bit, wherever, is detected or harmless, and takes nothing away that was flushed (R11)",
  short: 1,
  long: 10,
  run: async ({ seed, rounds, target }: ScenarioOptions) => {
    const tally = new Tally(flippedBits.name);
    for (let round = 0; round < rounds; round++) {
      const before = await registryBefore(target, seed + round);
      tally.acknowledged(before.states.length - 1);
      for (const suffix of SUFFIXES) {
        const whole = before.files[suffix];
        for (let bit = 0; bit < whole.length * BITS; bit++) {
          const flipped = Uint8Array.from(whole);
          const at = Math.floor(bit / BITS);
          flipped[at] = (whole[at] ?? 0) ^ (1 << (bit % BITS));
          const files = { ...before.files, [suffix]: flipped };
          const what = `servers.json${suffix} with bit ${bit} of ${whole.length * BITS} flipped`;
          const damaged = { target, before, files, what, seed: seed + round, tally, goOn: bit % GO_ON === 0 };
          const found = await openDamaged(damaged);
          if (found !== undefined) judgeDamaged(found, damaged);
        }
      }
    }
    return tally.result();
  },
};
