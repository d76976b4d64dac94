import { CODE, RpcFailure } from "./rpc-failure.js";

/** Something that is listed: what the list says of it, and whatever else belongs to it. */
export interface Listed {
  readonly definition: object;
}

/** One page of a list. */
export interface ListPage {
  readonly definitions: readonly object[];
  readonly nextCursor?: string;
}

const CURSOR_PREFIX = "after:";

/** The entries of one list, which may come and go at run time. One table serves every client: it never varies by caller. */
export class ListTable<T extends Listed> {
  readonly #keyOf: (item: T) => string;
  readonly #onChanged: () => void;
  readonly #items = new Map<string, T>();
  #sorted: readonly T[] | undefined;

  /**
   * @param keyOf an entry's name among the others
   * @param onChanged called after every change
   */
  constructor(keyOf: (item: T) => string, onChanged: () => void) {
    this.#keyOf = keyOf;
    this.#onChanged = onChanged;
  }

  get(key: string): T | undefined {
    return this.#items.get(key);
  }

  add(...items: readonly T[]): void {
    for (const item of items) this.#items.set(this.#keyOf(item), item);
    this.#changed();
  }

  remove(key: string): void {
    if (this.#items.delete(key)) this.#changed();
  }

  /** The first entry that `wanted` says yes to. */
  find(wanted: (item: T) => boolean): T | undefined {
    return this.#list().find(wanted);
  }

  /**
   * A page of the list, in the order of the keys' UTF-16 code units. A cursor holds the last key of the page before it,
   * so it stays good when entries come and go.
   * @throws RpcFailure −32602 when the cursor is none of ours
   */
  page(cursor: unknown, size: number): ListPage {
    const all = this.#list();
    const start = cursor === undefined ? 0 : this.#firstAfter(lastKeyOf(cursor));
    const items = all.slice(start, start + size);
    const definitions = items.map(({ definition }) => definition);
    const last = items.at(-1);
    if (last === undefined || start + size >= all.length) return { definitions };
    return { definitions, nextCursor: Buffer.from(CURSOR_PREFIX + this.#keyOf(last)).toString("base64url") };
  }

  #list(): readonly T[] {
    this.#sorted ??= [...this.#items].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
    return this.#sorted;
  }

  #firstAfter(key: string): number {
    const all = this.#list();
    const found = all.findIndex((item) => this.#keyOf(item) > key);
    return found === -1 ? all.length : found;
  }

  #changed(): void {
    this.#sorted = undefined;
    this.#onChanged();
  }
}

function lastKeyOf(cursor: unknown): string {
  if (typeof cursor !== "string") throw new RpcFailure(CODE.invalidParams, "cursor must be a string");
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  if (!text.startsWith(CURSOR_PREFIX)) {
    throw new RpcFailure(CODE.invalidParams, "Unknown cursor: start again from the first page");
  }
  return text.slice(CURSOR_PREFIX.length);
}
