import { contentOf, isSame, Model, serverOf } from "../content.js";
import { REGISTRY_PATH, SimWorld, type SimProcess } from "../sim/sim-world.js";
import type { Cache, Target } from "../target.js";

/** What a command found that a map would not have done. */
export class ModelMismatch extends Error {
  override readonly name = "ModelMismatch";
}

/** One of two places from which the registry is used. */
interface Seat {
  process: SimProcess;
  cache: Cache;
}

/** The registry beside what it should hold. */
export class ModelWorld {
  model = new Model();
  acknowledged = 0;
  #world: SimWorld;
  readonly #seats = new Map<number, Seat>();
  readonly #begun: Promise<void>[] = [];
  #version = 0;

  constructor(target: Target) {
    this.#world = new SimWorld(target);
  }

  async upsert(by: number, name: string, padding: number): Promise<void> {
    const { cache } = await this.#seat(by);
    const server = serverOf(name, `v${++this.#version}`, padding);
    cache.upsert(server);
    this.model.upsert(server);
    this.acknowledged++;
    this.#look(cache);
  }

  async remove(by: number, name: string): Promise<void> {
    const { cache } = await this.#seat(by);
    const removed = cache.remove(name);
    if (removed !== this.model.remove(name)) throw new ModelMismatch(`remove returned ${removed}`);
    if (removed) this.acknowledged++;
    this.#look(cache);
  }

  async flush(by: number): Promise<void> {
    await (await this.#seat(by)).cache.flush();
  }

  /** Begins a flush; whatever comes next meets it at work. */
  async flushLater(by: number): Promise<void> {
    const { cache, process } = await this.#seat(by);
    this.#begun.push(
      cache.flush().catch((error: unknown) => {
        if (!process.mount.killed) throw error;
      }),
    );
  }

  async durable(by: number): Promise<void> {
    await (await this.#seat(by)).cache.durable();
  }

  async refresh(by: number): Promise<void> {
    const { cache } = await this.#seat(by);
    await cache.refresh();
    this.#look(cache);
  }

  async reopen(by: number): Promise<void> {
    await (await this.#seat(by)).cache.close();
    this.#seats.delete(by);
    await this.refresh(by);
  }

  async kill(by: number): Promise<void> {
    (await this.#seat(by)).process.kill();
    this.#seats.delete(by);
    await this.refresh(by);
  }

  /** After a promise nothing that was only in the page cache is needed. */
  async cutPower(by: number): Promise<void> {
    // A change of the other seat is that one's to promise.
    for (const { cache } of this.#seats.values()) await cache.durable();
    for (const { process } of this.#seats.values()) process.kill();
    this.#seats.clear();
    await Promise.all(this.#begun.splice(0));
    const { disk } = this.#world;
    this.#world = this.#world.after(disk.image(disk.tick, () => "lost"));
    await this.refresh(by);
  }

  /** Somebody edits `servers.json`, having seen everything, while another adds a server by command; both must be there in the end. */
  async editByHand(by: number, edit: "add" | "change" | "remove", name: string): Promise<void> {
    await this.refresh(by);
    await this.flush(by);
    const bytes = this.#world.disk.bytes(REGISTRY_PATH);
    // A registry that nobody has changed yet has no file.
    if (bytes === undefined) return;
    const file = JSON.parse(new TextDecoder().decode(bytes)) as { servers: { name: string }[] };
    await this.upsert(by, "meanwhile", 0);
    const server = serverOf(name, `hand${++this.#version}`);
    const at = file.servers.findIndex((entry) => entry.name === name);
    if (edit === "remove" && at >= 0) file.servers.splice(at, 1);
    else if (edit === "change" && at >= 0) file.servers.splice(at, 1, server);
    else if (edit === "add" && at < 0) file.servers.push(server);
    else return;
    this.#world.disk.put(REGISTRY_PATH, JSON.stringify(file));
    this.#editModel(file.servers);
    await this.refresh(by);
  }

  /** Waits for what was begun, and looks with fresh eyes. */
  async end(): Promise<void> {
    await Promise.all(this.#begun);
    for (const { cache } of this.#seats.values()) await cache.close();
    const cache = this.#world.start().cache();
    await cache.init();
    this.#look(cache);
  }

  /** The edited file, with the command's change made on top of it. */
  #editModel(servers: readonly { readonly name: string }[]): void {
    const meanwhile = this.model.content.filter((text) => text.startsWith("meanwhile="));
    const edited = contentOf(servers);
    const kept = edited.filter((text) => !text.startsWith("meanwhile="));
    const at = edited.findIndex((text) => text.startsWith("meanwhile="));
    this.model = new Model(at < 0 ? [...kept, ...meanwhile] : [...kept.slice(0, at), ...meanwhile, ...kept.slice(at)]);
  }

  async #seat(by: number): Promise<Seat> {
    const seated = this.#seats.get(by);
    if (seated !== undefined) return seated;
    const process = this.#world.start();
    const cache = process.cache();
    await cache.init();
    const seat = { process, cache };
    this.#seats.set(by, seat);
    return seat;
  }

  #look(cache: Cache): void {
    const found = contentOf(cache.getAll());
    const { content } = this.model;
    if (isSame(found, content)) return;
    throw new ModelMismatch(`found [${found.join(" ")}], not [${content.join(" ")}]`);
  }
}
