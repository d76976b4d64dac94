/**
 * Those that are under way, where each request of the gateway joins and leaves.
 *
 * A `Set` is the obvious choice and the wrong one here: V8 makes it a new table every few dozen additions and keeps the old ones alive as long as
 * anything looks at them, which cost a third of all time per call in garbage collection. This is an array: the few thousand that are ever under
 * way at once are found in it by looking.
 */
export class Roster<T extends object | string> {
  readonly #members: T[] = [];

  /** How many there are. */
  get size(): number {
    return this.#members.length;
  }

  /** Takes in who is not in it yet: somebody who is taken in twice is in it twice. */
  add(member: T): void {
    this.#members.push(member);
  }

  /** Lets somebody go; the last takes the place. @returns whether `member` was in it */
  delete(member: T): boolean {
    const at = this.#members.indexOf(member);
    if (at === -1) return false;
    const last = this.#members.pop();
    if (last !== undefined && at < this.#members.length) this.#members[at] = last;
    return true;
  }

  /** All who are in it now, in no order that means anything: who comes or goes meanwhile changes nothing of it. */
  all(): T[] {
    return [...this.#members];
  }
}
