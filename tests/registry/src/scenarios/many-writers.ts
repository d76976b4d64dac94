import { contentOf } from "../content.js";
import { withTempHome } from "../processes/temp-home.js";
import type { WriterOrder } from "../processes/writer-script.js";
import { Writer } from "../processes/writer.js";
import { Tally, type Scenario, type ScenarioOptions } from "../scenario.js";
import type { Target } from "../target.js";

/** How many write together, and how many changes each makes: 10,000 in all. */
const TEAMS = [
  { writers: 2, changes: 1_250 },
  { writers: 4, changes: 625 },
  { writers: 8, changes: 625 },
] as const;
/** One more writes with them and is killed when it has made so many. */
const VICTIMS_CHANGES = 200;

/** 2, 4 and 8 processes that write to one registry at once, and one that is killed among them. A round is the three teams. */
export const manyWriters: Scenario = {
  name: "many-writers",
  promise: "2, 4 and 8 processes make 10,000 changes together, one is killed among them, and none is lost (R12)",
  short: 1,
  long: 10,
  run: async ({ seed, rounds, target }: ScenarioOptions) => {
    const tally = new Tally(manyWriters.name);
    for (let round = 0; round < rounds; round++) {
      for (const team of TEAMS) {
        await withTempHome(async (home) => writeTogether({ ...team, home, target, seed: seed + round, tally }));
      }
    }
    return tally.result();
  },
};

interface Team {
  readonly writers: number;
  readonly changes: number;
  readonly home: string;
  readonly target: Target;
  readonly seed: number;
  readonly tally: Tally;
}

async function writeTogether({ writers, changes, home, target, seed, tally }: Team): Promise<void> {
  const order = (prefix: string): WriterOrder => ({ entry: target.entry, home, seed, prefix, changes, manner: "add" });
  const team = Array.from({ length: writers }, (_, index) => new Writer(order(`w${index}-`)));
  const { changes: _, ...endless } = order("victim-");
  const victim = new Writer(endless);
  await victim.reached(VICTIMS_CHANGES);
  victim.kill();
  const ends = await Promise.all([...team, victim].map(async (writer) => ({ writer, ...(await writer.ended()) })));
  tally.round();

  const { verifyRegistry, registryPath } = target.registry;
  const { findings, servers } = verifyRegistry(registryPath({ CORTEX_HOME: home }));
  const found = new Set(contentOf(servers));
  for (const { writer, acknowledged, code, complaint } of ends) {
    const { prefix } = writer.order;
    tally.acknowledged(acknowledged);
    if (writer !== victim && code !== 0)
      tally.fail("thrown", seed, `one of ${writers} writers left with ${code}: ${complaint}`);
    for (let change = 0; change < acknowledged; change++) {
      if (!found.delete(`${prefix}${change}=v${change}/0`))
        tally.fail("lost", seed, `${prefix}${change} of ${writers} writers`);
    }
    // The last change of the one that was killed may have been made.
    if (writer === victim) found.delete(`${prefix}${acknowledged}=v${acknowledged}/0`);
  }
  for (const text of found) tally.fail("wrong", seed, `nobody wrote ${text}`);
  for (const { level, text } of findings) if (level !== "info") tally.fail("wrong", seed, `verifyRegistry: ${text}`);
}
