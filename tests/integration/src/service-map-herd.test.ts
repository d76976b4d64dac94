import { RefreshScheduler } from "@cortex-os/mcp";
import { silentLogger } from "@cortex-os/mcp-core";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { seededRandom } from "./support/seeded-random.js";

const FLEET = 100;
const INTERVAL_MS = 300_000;
const DAY_MS = 24 * 3_600_000;
/** No second may hold more of the fetches than this: 5 of 100. */
const MOST_PER_SECOND = 0.05 * FLEET;

/** The moments, in milliseconds, at which each gateway of a fleet fetched. */
async function fetchesOf(seed: number, forMs: number, startMs: (gateway: number) => number): Promise<number[][]> {
  const time = new ManualTime();
  const random = seededRandom(seed);
  const fetches: number[][] = [];
  for (let gateway = 0; gateway < FLEET; gateway++) {
    const own: number[] = [];
    fetches.push(own);
    const scheduler = new RefreshScheduler({
      intervalMs: INTERVAL_MS,
      onRefresh: () => void own.push(time.elapsedMs()),
      logger: silentLogger,
      ...{ clock: time, timers: time, random },
    });
    time.after(startMs(gateway), () => scheduler.start());
  }
  await time.advance(forMs);
  return fetches;
}

/** How many fetches each second holds that holds any. */
function perSecond(moments: readonly number[]): Map<number, number> {
  const seconds = new Map<number, number>();
  for (const ms of moments) seconds.set(Math.floor(ms / 1_000), (seconds.get(Math.floor(ms / 1_000)) ?? 0) + 1);
  return seconds;
}

const most = (rounds: readonly Map<number, number>[]): number =>
  Math.max(...rounds.flatMap((seconds) => [...seconds.values()]));

describe("R5: a fleet of 100 gateways with the default jitter of ±20 %", () => {
  test.each([
    ["that was started in the same instant", () => 0],
    ["that was started within ten seconds", (gateway: number) => gateway * 100],
  ])("%s: for a day no second holds more than 5 of the 100 fetches of a round", async (name, startMs) => {
    const fetches = await fetchesOf(1, DAY_MS, startMs);
    const rounds = Math.min(...fetches.map((own) => own.length));
    const perRound = Array.from({ length: rounds }, (_, round) => perSecond(fetches.map((own) => own[round] ?? 0)));
    const all = fetches.flat();
    const [first, anyRound, anySecond] = [most(perRound.slice(0, 1)), most(perRound), most([perSecond(all)])];
    process.stdout.write(
      `fleet ${name}: ${all.length} fetches in ${rounds} rounds; the fullest second holds ${first} of the first round, ${anyRound} of any round, ${anySecond} of all rounds together\n`,
    );
    expect(all.length).toBeGreaterThan(28_000);
    expect(anyRound).toBeLessThanOrEqual(MOST_PER_SECOND);
    expect(anySecond).toBeLessThanOrEqual(MOST_PER_SECOND);
  });

  test("the first round, 100 in 120 seconds, is the narrowest: of 300 fleets few see a second with more than 5", async () => {
    const fleets = new Map<number, number>();
    for (let seed = 0; seed < 300; seed++) {
      const fetches = await fetchesOf(seed, 1.2 * INTERVAL_MS + 1, () => 0);
      const fullest = most([perSecond(fetches.map((own) => own[0] ?? Number.NaN))]);
      fleets.set(fullest, (fleets.get(fullest) ?? 0) + 1);
    }
    const [...counts] = fleets;
    const told = counts.toSorted(([a], [b]) => a - b).map(([fullest, of]) => `${fullest}: ${of}`);
    const above = counts.filter(([fullest]) => fullest > MOST_PER_SECOND).reduce((sum, [, of]) => sum + of, 0);
    process.stdout.write(`the fullest second of the first round, by how many of 300 fleets: ${told.join(", ")}\n`);
    // Independent uniform delays: by chance 2.7 % of all fleets.
    expect(above / 300).toBeLessThan(0.05);
  });
});
