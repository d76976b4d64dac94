import { appendFileSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { contentOf, isSame, serverOf } from "../content.js";
import { described, isIoRefusal } from "../errors.js";
import { Random } from "../random.js";
import { Tally } from "../scenario.js";
import { targetAt, type Cache, type Target } from "../target.js";

// Its folder is a file system of 64 KiB: fills it, looks that nothing is lost and nothing pretended, frees it and goes on. Prints what it counted.

/** What this program is told. */
export interface FullDiskOrder {
  readonly scenario: string;
  /** The registry on trial: a file URL. */
  readonly entry: string;
  readonly seed: number;
  readonly rounds: number;
}

const BALLAST = "ballast";
const PAGE = 4_096;
/** More than there is ever room for. */
const ATTEMPTS = 200;

/** One registry on a disk that fills up. */
class Round {
  readonly #target: Target;
  readonly #random: Random;
  readonly #seed: number;
  readonly #tally: Tally;
  readonly #done: string[] = [];
  readonly #others: Cache[] = [];

  constructor(target: Target, seed: number, tally: Tally) {
    this.#target = target;
    this.#random = new Random(seed);
    this.#seed = seed;
    this.#tally = tally;
  }

  async run(): Promise<void> {
    const cache = await this.#opened();
    this.#add(cache, 5);
    await cache.flush();
    fill();
    truncateSync(BALLAST, statSync(BALLAST).size - this.#random.int(4) * PAGE);
    await this.#mayRefuse("upsert", () => {
      this.#add(cache, ATTEMPTS);
      throw new Error("the disk was not full");
    });
    await this.#mayRefuse("durable", () => cache.durable());
    await this.#mayRefuse("flush", () => cache.flush());
    await this.#check("while the disk is full", cache);
    rmSync(BALLAST);
    await cache.flush();
    this.#add(cache, 1);
    await cache.durable();
    await this.#check("once there is space again", cache);
    for (const problem of cache.problems) this.#wrong(`it still complains: ${problem}`);
    for (const { level, text } of this.#target.registry.verifyRegistry("servers.json").findings) {
      if (level !== "info") this.#wrong(`verifyRegistry: ${text}`);
    }
    // Open files take space, also when their names are gone.
    for (const each of [...this.#others, cache]) await each.close();
    this.#tally.acknowledged(this.#done.length);
  }

  async #opened(): Promise<Cache> {
    const { RegistryMemoryCache } = this.#target.registry;
    const cache = new RegistryMemoryCache({
      registryPath: "servers.json",
      flushIntervalMs: Infinity,
      journalLimitBytes: PAGE,
    });
    await cache.init();
    return cache;
  }

  #add(cache: Cache, count: number): void {
    for (let added = 0; added < count; added++) {
      const server = serverOf(`s${this.#done.length}`, "v", this.#random.int(60));
      cache.upsert(server);
      this.#done.push(...contentOf([server]));
    }
  }

  async #mayRefuse(what: string, task: () => Promise<void> | void): Promise<void> {
    try {
      await task();
    } catch (error) {
      if (!isIoRefusal(error)) this.#tally.fail("thrown", this.#seed, `${what}: ${described(error)}`);
    }
  }

  /** The instance that saw it all, and another. */
  async #check(when: string, cache: Cache): Promise<void> {
    const other = await this.#opened();
    this.#others.push(other);
    for (const [who, { length, found }] of [
      ["it", held(cache)],
      ["another", held(other)],
    ] as const) {
      if (isSame(found, this.#done)) continue;
      const verdict = length < this.#done.length ? "lost" : "wrong";
      this.#tally.fail(verdict, this.#seed, `${when} ${who} holds ${length} servers, not ${this.#done.length}`);
    }
  }

  #wrong(what: string): void {
    this.#tally.fail("wrong", this.#seed, what);
  }
}

function held(cache: Cache): { readonly length: number; readonly found: readonly string[] } {
  const found = contentOf(cache.getAll());
  return { length: found.length, found };
}

function fill(): void {
  try {
    for (;;) appendFileSync(BALLAST, Buffer.alloc(512));
  } catch {
    // Full.
  }
}

const { scenario, entry, seed, rounds } = JSON.parse(process.argv[2] ?? "") as FullDiskOrder;
const target = await targetAt(entry);
const tally = new Tally(scenario);
for (let round = 0; round < rounds; round++) {
  tally.round();
  try {
    await new Round(target, seed + round, tally).run();
  } catch (error) {
    tally.fail("thrown", seed + round, described(error));
  }
  for (const file of readdirSync(".")) rmSync(file);
}
process.stdout.write(JSON.stringify(tally.result()));
