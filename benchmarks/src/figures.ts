import { pairUp, type Comparison, type Sides } from "./comparison.js";
import { percentile } from "./statistics.js";

/** What both sides took, in milliseconds, in one round. */
export type RoundTimes = Sides<readonly number[]>;

/** The percentiles of one thing that is measured both ways in each round. The first round warms up and does not count. */
export class Figures {
  readonly #of: Omit<Comparison, "rounds">;
  readonly #percentiles: readonly number[];
  readonly #rounds: RoundTimes[] = [];

  /** @param percentiles which of them to tell, such as 50 and 99 */
  constructor(of: Omit<Comparison, "rounds">, percentiles: readonly number[]) {
    this.#of = of;
    this.#percentiles = percentiles;
  }

  addRound(times: RoundTimes): void {
    this.#rounds.push(times);
  }

  get comparisons(): Comparison[] {
    const rounds = this.#rounds.slice(1);
    const perMs = this.#of.unit === "ms" ? 1 : 1_000;
    return this.#percentiles.map((percent) => {
      const folded = (times: readonly number[]): number => percentile(times, percent / 100) * perMs;
      const measure = percent === 100 ? `${this.#of.measure}, longest` : `${this.#of.measure}, p${percent}`;
      const baseline = rounds.map((round) => folded(round.baseline));
      const optimised = rounds.map((round) => folded(round.optimised));
      return { ...this.#of, measure, rounds: pairUp(baseline, optimised) };
    });
  }
}

/** Measures both sides `count` times, one right after the other and in alternating order. Each does its work and returns how long it took, in milliseconds. */
export async function inTurns(
  count: number,
  sides: Sides<(at: number) => number | Promise<number>>,
): Promise<RoundTimes> {
  const times: Sides<number[]> = { baseline: [], optimised: [] };
  for (let at = 0; at < count; at++) {
    const order = at % 2 === 0 ? (["optimised", "baseline"] as const) : (["baseline", "optimised"] as const);
    for (const side of order) times[side].push(await sides[side](at));
  }
  return times;
}

/** How long work takes, in milliseconds. */
export async function msOf(work: () => Promise<unknown>): Promise<number> {
  const beforeMs = performance.now();
  await work();
  return performance.now() - beforeMs;
}

/** The same for work that is done when it returns: nothing is waited for. */
export function msOfCall(work: () => unknown): number {
  const beforeMs = performance.now();
  work();
  return performance.now() - beforeMs;
}
