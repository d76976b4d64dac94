import type { ScenarioResult } from "../scenario.js";
import type { Mutant } from "./mutants.js";
import { withMutant } from "./with-mutant.js";

/** What came of a hunt. */
export interface Hunt {
  readonly isCaught: boolean;
  /** Of the round that caught it, else of the last. */
  readonly result: ScenarioResult;
}

/** Puts a mutant on trial: it is caught when a round of its scenario finds something lost, wrong or thrown. */
export async function hunt(mutant: Mutant, seed: number): Promise<Hunt> {
  const { caughtBy, rounds } = mutant;
  return withMutant(mutant, async (target) => {
    for (let round = 0; ; round++) {
      const result = await caughtBy.run({ seed: seed + round, rounds: 1, target });
      const isCaught = result.lost + result.wrong + result.thrown > 0;
      if (isCaught || round + 1 >= rounds) return { isCaught, result };
    }
  });
}
