import { Roster } from "@cortex-os/mcp-core";

/** What is under way on a link: whoever drains it waits until there is nothing left. */
export class InFlight<T extends object> {
  readonly #items = new Roster<T>();
  #whenIdle: (() => void)[] = [];

  /** A snapshot. */
  get all(): readonly T[] {
    return this.#items.all();
  }

  get size(): number {
    return this.#items.size;
  }

  add(item: T): void {
    this.#items.add(item);
  }

  delete(item: T): void {
    this.#items.delete(item);
    if (this.#items.size > 0 || this.#whenIdle.length === 0) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Counts a promise until it settles. */
  async during<R>(work: Promise<R> & T): Promise<R> {
    this.add(work);
    return work.finally(() => this.delete(work));
  }

  /** Resolves when nothing is under way. */
  async drained(): Promise<void> {
    if (this.#items.size > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }
}
