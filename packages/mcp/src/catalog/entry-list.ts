import { createHash } from "node:crypto";
import type { CatalogEntry } from "./catalog-entry.js";
import { runsOf } from "./runs.js";

/** A stretch of a list. */
interface Block<E> {
  readonly entries: readonly E[];
  /** SHA-256 over its definitions. */
  readonly digest: string;
}

/** One entry in so many ends a block. */
const BLOCK = 64;

/**
 * Entries sorted by id, each id once; immutable. They are kept in blocks, whose ends the ids alone decide: whichever way a list came about, it has the same blocks and
 * the same digest (R23), and a change makes the blocks that it touches anew and shares the others.
 */
export class EntryList<E extends CatalogEntry = CatalogEntry> {
  /** SHA-256 over the definitions that it holds, in hex. */
  readonly digest: string;
  readonly size: number;
  readonly #blocks: readonly Block<E>[];
  /** How many entries lie before each block. */
  readonly #before: readonly number[];

  private constructor(blocks: readonly Block<E>[]) {
    const before: number[] = [];
    let size = 0;
    for (const { entries } of blocks) {
      before.push(size);
      size += entries.length;
    }
    const digests = blocks.map(({ digest }) => digest).join("");
    this.digest = createHash("sha256").update(digests).digest("hex");
    this.size = size;
    this.#blocks = blocks;
    this.#before = before;
  }

  static empty<E extends CatalogEntry>(): EntryList<E> {
    return new EntryList<E>([]);
  }

  /** The same with other entries under some ids, or none. */
  with(changes: ReadonlyMap<string, E | undefined>): EntryList<E> {
    if (changes.size === 0) return this;
    // Without a comparator, strings are sorted by code units: every replica lists alike, whatever its locale.
    const ids = [...changes.keys()].toSorted();
    const blocks: Block<E>[] = [];
    let open: E[] = [];
    const push = (entry: E | undefined): void => {
      if (entry === undefined) return;
      open.push(entry);
      if (!endsBlock(entry.id)) return;
      blocks.push(closed(open));
      open = [];
    };
    let at = 0;
    const last = this.#blocks.at(-1);
    for (const block of this.#blocks) {
      const from = at;
      if (block === last) at = ids.length;
      else while (at < ids.length && (ids[at] ?? "") <= lastIdOf(block)) at++;
      // A block whose end is gone goes on into the next one.
      if (from === at && open.length === 0) blocks.push(block);
      else merge(block.entries, ids.slice(from, at), changes, push);
    }
    for (const id of ids.slice(at)) push(changes.get(id));
    if (open.length > 0) blocks.push(closed(open));
    return new EntryList(blocks);
  }

  get(id: string): E | undefined {
    const entries = this.#blocks[firstIndex(this.#blocks, (block) => lastIdOf(block) >= id)]?.entries ?? [];
    const found = entries[firstIndex(entries, (entry) => entry.id >= id)];
    return found?.id === id ? found : undefined;
  }

  /** How many entries come up to `id`, itself included. */
  countTo(id: string): number {
    const index = firstIndex(this.#blocks, (block) => lastIdOf(block) > id);
    const entries = this.#blocks[index]?.entries;
    if (entries === undefined) return this.size;
    return (this.#before[index] ?? 0) + firstIndex(entries, (entry) => entry.id > id);
  }

  at(index: number): E | undefined {
    const block = this.#blockOf(index);
    return this.#blocks[block]?.entries[index - (this.#before[block] ?? 0)];
  }

  slice(start: number, end: number): E[] {
    const found: E[] = [];
    for (let block = this.#blockOf(start); block < this.#blocks.length; block++) {
      const before = this.#before[block] ?? 0;
      if (before >= end) break;
      const { entries = [] } = this.#blocks[block] ?? {};
      found.push(...entries.slice(Math.max(0, start - before), end - before));
    }
    return found;
  }

  /** What a stretch of it holds: the same only for the same bytes. */
  contentOf(start: number, end: number): string {
    const first = this.#blockOf(start);
    let content = `${start - (this.#before[first] ?? 0)} ${end - start}`;
    for (let block = first; block < this.#blocks.length && (this.#before[block] ?? 0) < end; block++)
      content += ` ${this.#blocks[block]?.digest}`;
    return content;
  }

  toArray(): readonly E[] {
    return this.#blocks.flatMap(({ entries }) => entries);
  }

  /** Of the block that holds the entry of this index. */
  #blockOf(index: number): number {
    return firstIndex(this.#before, (before) => before > index) - 1;
  }
}

function closed<E extends CatalogEntry>(entries: readonly E[]): Block<E> {
  const hash = createHash("sha256");
  for (const run of runsOf(entries, ({ encoded }) => encoded)) hash.update(run);
  return { entries, digest: hash.digest("base64url") };
}

function merge<E extends CatalogEntry>(
  entries: readonly E[],
  ids: readonly string[],
  changes: ReadonlyMap<string, E | undefined>,
  push: (entry: E | undefined) => void,
): void {
  let at = 0;
  for (const entry of entries) {
    for (; at < ids.length && (ids[at] ?? "") < entry.id; at++) push(changes.get(ids[at] ?? ""));
    if (ids[at] !== entry.id) push(entry);
  }
  for (const id of ids.slice(at)) push(changes.get(id));
}

/** Of an FNV-1a hash: it needs to be the same everywhere, and nothing else. */
function endsBlock(id: string): boolean {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  return ((hash ^ (hash >>> 16)) & (BLOCK - 1)) === 0;
}

const lastIdOf = ({ entries }: Block<CatalogEntry>): string => entries.at(-1)?.id ?? "";

/** Of the first item that `is` holds for; it holds for all after it. The length when it holds for none. */
function firstIndex<T>(items: readonly T[], is: (item: T) => boolean): number {
  let from = 0;
  let to = items.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const item = items[middle];
    if (item !== undefined && is(item)) to = middle;
    else from = middle + 1;
  }
  return from;
}
