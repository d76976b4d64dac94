import { ProcessKilled } from "@cortex-os/mcp-registry/testing";
import { contentOf, isSame, Model, type Content } from "../content.js";
import { described, isIoRefusal } from "../errors.js";
import type { Step } from "../steps.js";
import type { Cache } from "../target.js";
import type { SimProcess, SimWorld } from "./sim-world.js";

/** Something that was promised to survive a power cut: from `tick` on, `changes` changes. */
export interface Promised {
  readonly tick: number;
  readonly changes: number;
}

/** What a script did, told by what its calls returned. */
export interface SimRun {
  /** What the registry holds after each change that returned; first what it held before. */
  readonly states: readonly Content[];
  /** The tick of the disk when the change that led to each state was begun. */
  readonly begunAt: readonly number[];
  /** What it holds when the change that did not return was made all the same. */
  readonly perhaps: Content | undefined;
  readonly promised: readonly Promised[];
  readonly known: ReadonlySet<string>;
  /** What should not have happened, in words. */
  readonly unexpected: readonly string[];
  /** Whether the script was ended by a kill. */
  readonly killed: boolean;
  /** The instances that were open at the end. */
  readonly open: readonly Cache[];
  /** The instances whose `close` failed: it may be tried again. */
  readonly unclosed: readonly Cache[];
}

/** How a script is run. */
export interface SimRunOptions {
  readonly world: SimWorld;
  /** By whom the steps are done: the first is there from the beginning, the second from its first step on. */
  readonly processes: readonly [SimProcess, SimProcess?];
  /** Whether the disk may fail: then calls may reject with `REGISTRY_IO`, and the script goes on. */
  readonly mayFail?: boolean;
}

/** Runs a script and keeps the books. Waits for everything that was begun. */
export async function runSteps(steps: readonly Step[], options: SimRunOptions): Promise<SimRun> {
  const runner = new SimRunner(options);
  await runner.runAll(steps);
  return runner.record();
}

class SimRunner {
  readonly #options: SimRunOptions;
  readonly #model = new Model();
  readonly #states: Content[] = [[]];
  readonly #begunAt: number[] = [0];
  readonly #promised: Promised[] = [];
  readonly #known = new Set<string>();
  readonly #unexpected: string[] = [];
  readonly #begun: Promise<void>[] = [];
  readonly #open = new Map<0 | 1, Cache>();
  /** How many changes there were after the latest of each instance: what that instance may promise. */
  readonly #own: [number, number] = [0, 0];
  readonly #unclosed: Cache[] = [];
  #perhaps: Content | undefined;
  #killed = false;

  constructor(options: SimRunOptions) {
    this.#options = options;
  }

  async runAll(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await this.#guarded(step.kind, () => this.#run(step));
      if (this.#killed) break;
    }
    await Promise.all(this.#begun);
  }

  record(): SimRun {
    return {
      states: this.#states,
      begunAt: this.#begunAt,
      perhaps: this.#perhaps,
      promised: this.#promised,
      known: this.#known,
      unexpected: this.#unexpected,
      killed: this.#killed,
      open: [...this.#open.values()],
      unclosed: this.#unclosed,
    };
  }

  async #run(step: Step): Promise<void> {
    if (step.kind === "turn") {
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      return;
    }
    const cache = this.#open.get(step.by) ?? (await this.#opened(step.by));
    switch (step.kind) {
      case "upsert":
        for (const text of contentOf([step.server])) this.#known.add(text);
        return this.#change(
          (model) => model.upsert(step.server),
          () => cache.upsert(step.server),
          step.by,
          cache,
        );
      case "remove":
        return this.#change(
          (model) => model.remove(step.name),
          () => cache.remove(step.name),
          step.by,
          cache,
        );
      case "flush":
      case "durable": {
        const promise = this.#promise(cache, step.kind, step.by);
        if (step.later) this.#begun.push(this.#guarded(`${step.kind}, later`, () => promise));
        else await promise;
        return;
      }
      case "refresh":
        await cache.refresh();
        return this.#look(cache, "after refresh");
      case "reopen": {
        const changes = this.#own[step.by];
        this.#open.delete(step.by);
        this.#unclosed.push(cache);
        await cache.close();
        this.#unclosed.pop();
        this.#promised.push({ tick: this.#options.world.disk.tick, changes });
        await this.#opened(step.by);
      }
    }
  }

  async #opened(by: 0 | 1): Promise<Cache> {
    const process = this.#options.processes[by] ?? this.#options.processes[0];
    const cache = process.cache();
    await cache.init();
    this.#open.set(by, cache);
    this.#look(cache, "after init");
    return cache;
  }

  async #promise(cache: Cache, kind: "flush" | "durable", by: 0 | 1): Promise<void> {
    const changes = this.#own[by];
    await cache[kind]();
    this.#promised.push({ tick: this.#options.world.disk.tick, changes });
  }

  #change<T>(onModel: (model: Model) => T, onCache: () => T, by: 0 | 1, cache: Cache): void {
    const next = new Model(this.#model.content);
    const expected = onModel(next);
    this.#perhaps = next.content;
    const begunAt = this.#options.world.disk.tick;
    const before = cache.getAll();
    let returned: T;
    try {
      returned = onCache();
    } catch (error) {
      // It says that it did not make the change: then nobody may see it.
      if (!(error instanceof ProcessKilled)) {
        this.#perhaps = undefined;
        if (!isSame(contentOf(before), contentOf(cache.getAll()))) this.#look(cache, "after a change that was refused");
      }
      throw error;
    }
    this.#perhaps = undefined;
    if (returned !== expected) this.#unexpected.push(`a change returned ${String(returned)}, not ${String(expected)}`);
    onModel(this.#model);
    // What changes nothing is no change.
    if (!isSame(this.#model.content, this.#states.at(-1) ?? [])) {
      this.#states.push(this.#model.content);
      this.#begunAt.push(begunAt);
      this.#own[by] = this.#states.length - 1;
    }
    this.#look(cache, "after a change");
  }

  /** What an instance that has just taken in everything says must be what was done. */
  #look(cache: Cache, when: string): void {
    const found = contentOf(cache.getAll());
    const expected = this.#model.content;
    if (!isSame(found, expected)) {
      this.#unexpected.push(`${when} it holds [${found.join(" ")}], not [${expected.join(" ")}]`);
    }
  }

  async #guarded(what: string, task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      if (this.#options.processes.some((process) => process?.mount.killed)) this.#killed = true;
      else if (this.#options.mayFail !== true || !isIoRefusal(error))
        this.#unexpected.push(`${what}: ${described(error)}`);
    }
  }
}
