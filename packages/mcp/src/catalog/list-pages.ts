import { createHash } from "node:crypto";
import { isTtl, NOT_TO_KEEP, type Era, type ListKind } from "@cortex-os/mcp-core/wire";
import type { PartList } from "./catalog-part.js";
import { decodeCursor, encodeCursor } from "./cursor.js";
import type { EntryList } from "./entry-list.js";
import { PageRows } from "./page-rows.js";

/** The bytes of one page's result object. */
export interface ListPage {
  /** To be written one after the other. */
  readonly pieces: readonly Buffer[];
  /**
   * The same in a gzip file, with something before and behind it.
   * @returns pieces as well; `undefined` when it is not worth it, or not ready yet
   */
  readonly gzip: (before: Buffer, behind: Buffer) => readonly Buffer[] | undefined;
}

/** How a list is cut and how long it may be kept. */
export interface ListPolicy {
  /** Longest time in milliseconds for which a client may keep it; an upstream may ask for less. */
  readonly ttlMs: number;
  /** Entries on one page. */
  readonly pageSize: number;
}

/** Where a page begins and, once somebody asked for it, what it is. */
interface Place {
  readonly start: number;
  /** What tells its entries from those of any other page. */
  readonly content: string;
  rows: PageRows | undefined;
  readonly pages: Partial<Record<Era, ListPage>>;
}

/**
 * One merged list in pages, for both eras. The same entries and hints give the same bytes (R23). Definitions are in bytes already; a page puts them next to each other
 * when it is asked for the first time, and takes over what an earlier list has put together if the page holds the same.
 */
export class ListPages {
  /** SHA-256 over everything a client can see of it, in hex. */
  readonly revision: string;
  /** The same without the caching hints: what a client would have to list again for. */
  readonly contentRevision: string;
  readonly #kind: ListKind;
  readonly #entries: EntryList;
  readonly #pageSize: number;
  readonly #modernTail: string;
  /** By cursor. */
  readonly #places = new Map<string, Place>();

  /**
   * @param lists the upstreams' lists that it was merged from: a merged list is as fresh as its least fresh part, and private as soon as one part is
   *   (2026-07-28, Caching)
   * @param before the same list of an earlier catalog
   */
  constructor(kind: ListKind, entries: EntryList, lists: readonly PartList[], policy: ListPolicy, before?: ListPages) {
    this.#kind = kind;
    this.#entries = entries;
    this.#pageSize = policy.pageSize;
    const ttlMs = lists.reduce((least, list) => Math.min(least, hintedTtl(list.ttlMs, policy.ttlMs)), policy.ttlMs);
    const cacheScope = lists.some((list) => list.cacheScope === "private") ? "private" : "public";
    this.#modernTail = `,"ttlMs":${ttlMs},"cacheScope":"${cacheScope}"}`;
    this.contentRevision = entries.digest;
    this.revision = createHash("sha256").update(entries.digest).update(this.#modernTail).digest("hex");
    const known = before?.rowsByContent() ?? NONE;
    for (let start = 0; start === 0 || start < entries.size; start += policy.pageSize) {
      const content = entries.contentOf(start, start + policy.pageSize);
      this.#places.set(this.#cursorTo(start), { start, content, rows: known.get(content), pages: {} });
    }
  }

  /**
   * The page after `cursor`, from the start when it is `undefined` or empty.
   * @returns `undefined` when the cursor is none of ours (−32602)
   */
  page(era: Era, cursor: string | undefined): ListPage | undefined {
    const place = this.#places.get(cursor ?? "");
    if (place !== undefined) return (place.pages[era] ??= this.#pageAt(place.start, era, this.#rowsOf(place)));
    const after = decodeCursor(cursor ?? "");
    if (after === undefined) return undefined;
    // A cursor of an older snapshot: its page begins where none of ours does.
    const start = this.#entries.countTo(after);
    return { ...this.#pageAt(start, era, this.#rowsAt(start)), gzip: () => undefined };
  }

  get size(): number {
    return this.#entries.size;
  }

  /** What has been put together so far. */
  rowsByContent(): ReadonlyMap<string, PageRows> {
    const known = new Map<string, PageRows>();
    for (const { content, rows } of this.#places.values()) if (rows !== undefined) known.set(content, rows);
    return known;
  }

  #rowsOf(place: Place): PageRows {
    return (place.rows ??= this.#rowsAt(place.start));
  }

  #rowsAt(start: number): PageRows {
    return new PageRows(this.#entries.slice(start, start + this.#pageSize));
  }

  #pageAt(start: number, era: Era, rows: PageRows): ListPage {
    const end = start + this.#pageSize;
    const next = end < this.#entries.size ? `,"nextCursor":"${this.#cursorTo(end)}"` : "";
    const [opening, closing] = era === "modern" ? ['{"resultType":"complete",', this.#modernTail] : ["{", "}"];
    const before = Buffer.from(`${opening}"${this.#kind}":[`);
    const behind = Buffer.from(`]${next}${closing}`);
    return {
      pieces: [before, rows[era].plain, behind],
      gzip: (head, tail) => rows[era].gzip(Buffer.concat([head, before]), Buffer.concat([behind, tail])),
    };
  }

  /** The cursor of the page that begins there. */
  #cursorTo(start: number): string {
    const before = this.#entries.at(start - 1);
    return before === undefined ? "" : encodeCursor(before.id);
  }
}

const NONE: ReadonlyMap<string, PageRows> = new Map();

/** An upstream's hint: one that is negative or no whole number counts as 0 (2026-07-28, Caching), since nothing else may reach our bytes; none leaves `ours`. */
export function hintedTtl(hint: unknown, ours: number): number {
  if (hint === undefined) return ours;
  return isTtl(hint) ? hint : NOT_TO_KEEP.ttlMs;
}
