import { setTimeout as pause } from "node:timers/promises";
import { contentOf, judge, serverOf, type Content } from "../content.js";
import { described } from "../errors.js";
import { withTempHome } from "../processes/temp-home.js";
import { contentAfter, type WriterOrder } from "../processes/writer-script.js";
import { Writer } from "../processes/writer.js";
import { Random } from "../random.js";
import { Tally, type Scenario, type ScenarioOptions } from "../scenario.js";
import type { Target } from "../target.js";

/** How many write to one registry at once. */
const AT_ONCE = 3;
/** How many are killed before the next registry is begun. */
const KILLS_OF_A_REGISTRY = 20;
const LONGEST_LIFE_MS = 40;

/** Real processes, killed by SIGKILL at any moment, several at once on one registry. A round is one kill. */
export const killRandom: Scenario = {
  name: "kill-random",
  promise:
    "processes killed by SIGKILL at any moment, several at once, lose nothing that they acknowledged (R10 to R12)",
  short: 200,
  long: 1_000,
  run: async ({ seed, rounds, target }: ScenarioOptions) => {
    const tally = new Tally(killRandom.name);
    let slowestMs = 0;
    for (let first = 0; first < rounds; first += KILLS_OF_A_REGISTRY) {
      const kills = Math.min(KILLS_OF_A_REGISTRY, rounds - first);
      await withTempHome(async (home) => {
        const ring = new Ring({ home, target, tally });
        await ring.run(seed + first, kills);
        slowestMs = Math.max(slowestMs, ring.slowestMs);
      });
    }
    tally.note(`the slowest next change after a kill, with the dead one's lock taken over: ${slowestMs.toFixed(1)} ms`);
    return tally.result();
  },
};

interface Dead {
  readonly prefix: string;
  content: Content;
}

/** One registry on which some write, die and are followed by others. */
class Ring {
  readonly #home: string;
  readonly #target: Target;
  readonly #tally: Tally;
  readonly #dead: Dead[] = [];
  slowestMs = 0;

  constructor({ home, target, tally }: { readonly home: string; readonly target: Target; readonly tally: Tally }) {
    this.#home = home;
    this.#target = target;
    this.#tally = tally;
  }

  async run(seed: number, kills: number): Promise<void> {
    let begun = 0;
    const slot = async (): Promise<void> => {
      while (begun < kills) await this.#liveAndDie(seed + begun++);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, slot));
    this.#checkWhole(seed);
  }

  async #liveAndDie(seed: number): Promise<void> {
    const random = new Random(seed);
    const manner = random.chance(0.2) ? "store" : "script";
    const order: WriterOrder = { entry: this.#target.entry, home: this.#home, seed, prefix: `p${seed}-`, manner };
    const writer = new Writer(order);
    await writer.reached(random.int(manner === "store" ? 5 : 100) + 1);
    await pause(random.int(LONGEST_LIFE_MS));
    writer.kill();
    const { acknowledged, signal, complaint } = await writer.ended();
    this.#tally.round();
    this.#tally.acknowledged(acknowledged);
    if (signal !== "SIGKILL") this.#tally.fail("thrown", seed, `the writer ended by itself: ${complaint}`);
    try {
      await this.#check(seed, order, acknowledged);
    } catch (error) {
      this.#tally.fail("thrown", seed, `after ${acknowledged} changes: ${described(error)}`);
    }
  }

  async #check(seed: number, order: WriterOrder, acknowledged: number): Promise<void> {
    const { RegistryMemoryCache, registryPath } = this.#target.registry;
    const cache = new RegistryMemoryCache({
      registryPath: registryPath({ CORTEX_HOME: this.#home }),
      flushIntervalMs: Infinity,
    });
    await cache.init();
    const beganAt = performance.now();
    cache.upsert(serverOf("checker", `v${seed}`));
    this.slowestMs = Math.max(this.slowestMs, performance.now() - beganAt);
    const all = contentOf(cache.getAll());
    const of = (prefix: string): Content => all.filter((text) => text.startsWith(prefix));
    const allowed = contentAfter(order, acknowledged);
    const found = of(order.prefix);
    // What was never written by anybody shows as a text that neither state has, or as a torn one.
    const known = new Set(found.filter((text) => !text.includes("torn")));
    judge(this.#tally, found, { allowed, known, seed, what: `killed after ${acknowledged} changes` });
    for (const dead of this.#dead) {
      const now = of(dead.prefix);
      judge(this.#tally, now, {
        allowed: [dead.content],
        known: new Set(dead.content),
        seed,
        what: `${dead.prefix} later`,
      });
    }
    this.#dead.push({ prefix: order.prefix, content: found });
    for (const problem of cache.problems) this.#tally.fail("wrong", seed, `it complains: ${problem}`);
    await cache.close();
  }

  #checkWhole(seed: number): void {
    const { verifyRegistry, registryPath } = this.#target.registry;
    const { findings, servers } = verifyRegistry(registryPath({ CORTEX_HOME: this.#home }));
    for (const { level, text } of findings) {
      if (level !== "info") this.#tally.fail("wrong", seed, `verifyRegistry: ${text}`);
    }
    const strangers = servers.filter(
      ({ name }) => name !== "checker" && !this.#dead.some(({ prefix }) => name.startsWith(prefix)),
    );
    if (strangers.length > 0) this.#tally.fail("wrong", seed, `${strangers.length} servers that nobody wrote`);
  }
}
