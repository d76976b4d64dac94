import { createHash } from "node:crypto";
import { isTtl, NOT_TO_KEEP, type Era, type ListKind } from "@cortex-os/mcp-core/wire";
import type { PartList } from "./catalog-part.js";
import { decodeCursor, encodeCursor } from "./cursor.js";

/** The bytes of one page's result object, in pieces to be written one after the other. */
export type ListPage = readonly Buffer[];

/** One entry of a list: what it is sorted by, and its definition as clients see it. */
export interface PageEntry {
  readonly id: string;
  readonly json: string;
  /** As clients of the legacy era see it, when that is something else. */
  readonly legacyJson?: string;
}

/** How a list is cut and how long it may be kept. */
export interface ListPolicy {
  /** Longest time in milliseconds for which a client may keep it; an upstream may ask for less. */
  readonly ttlMs: number;
  /** Entries on one page. */
  readonly pageSize: number;
}

/** One merged list, encoded once for both eras. The same entries and hints give the same bytes (R23). */
export class ListPages {
  /** SHA-256 over everything a client can see of it, in hex. */
  readonly revision: string;
  /** The same without the caching hints: what a client would have to list again for. */
  readonly contentRevision: string;
  readonly #kind: ListKind;
  readonly #entries: readonly PageEntry[];
  readonly #pageSize: number;
  readonly #modernTail: string;
  readonly #pages = new Map<string, Readonly<Record<Era, ListPage>>>();

  /**
   * @param entries sorted by `id`, each id once
   * @param lists the upstreams' lists that it was merged from: a merged list is as fresh as its least fresh part, and private as soon as one part is
   *   (2026-07-28, Caching)
   */
  constructor(kind: ListKind, entries: readonly PageEntry[], lists: readonly PartList[], policy: ListPolicy) {
    this.#kind = kind;
    this.#entries = entries;
    this.#pageSize = policy.pageSize;
    const ttlMs = lists.reduce((least, list) => Math.min(least, hintedTtl(list.ttlMs, policy.ttlMs)), policy.ttlMs);
    const cacheScope = lists.some((list) => list.cacheScope === "private") ? "private" : "public";
    this.#modernTail = `,"ttlMs":${ttlMs},"cacheScope":"${cacheScope}"}`;
    this.revision = revisionOf(entries, this.#modernTail);
    this.contentRevision = revisionOf(entries, "");
    for (let start = 0; start === 0 || start < entries.length; start += policy.pageSize) {
      const before = entries[start - 1];
      this.#pages.set(before === undefined ? "" : encodeCursor(before.id), this.#encode(start));
    }
  }

  /**
   * The page after `cursor`, from the start when it is `undefined` or empty.
   * @returns `undefined` when the cursor is none of ours (−32602)
   */
  page(era: Era, cursor: string | undefined): ListPage | undefined {
    const ready = this.#pages.get(cursor ?? "");
    if (ready !== undefined) return ready[era];
    const after = decodeCursor(cursor ?? "");
    if (after === undefined) return undefined;
    // A cursor of an older snapshot: its page begins where none of ours does.
    const start = this.#entries.findIndex(({ id }) => id > after);
    return this.#encode(start === -1 ? this.#entries.length : start)[era];
  }

  #encode(start: number): Readonly<Record<Era, ListPage>> {
    const end = start + this.#pageSize;
    const onPage = this.#entries.slice(start, end);
    const last = end < this.#entries.length ? onPage.at(-1) : undefined;
    const encode = (jsons: readonly string[]): Buffer => Buffer.from(`"${this.#kind}":[${jsons.join(",")}]`);
    const list = encode(onPage.map(({ json }) => json));
    // One buffer for both eras, unless they differ.
    const isOneForAll = onPage.every(({ legacyJson }) => legacyJson === undefined);
    const legacyList = isOneForAll ? list : encode(onPage.map(({ json, legacyJson }) => legacyJson ?? json));
    const next = last === undefined ? "" : `,"nextCursor":"${encodeCursor(last.id)}"`;
    return {
      modern: [Buffer.from('{"resultType":"complete",'), list, Buffer.from(next + this.#modernTail)],
      legacy: [Buffer.from("{"), legacyList, Buffer.from(`${next}}`)],
    };
  }
}

/** An upstream's hint: one that is negative or no whole number counts as 0 (2026-07-28, Caching), since nothing else may reach our bytes; none leaves `ours`. */
export function hintedTtl(hint: unknown, ours: number): number {
  if (hint === undefined) return ours;
  return isTtl(hint) ? hint : NOT_TO_KEEP.ttlMs;
}

function revisionOf(entries: readonly PageEntry[], tail: string): string {
  const hash = createHash("sha256").update(tail);
  for (const { json } of entries) hash.update("\n").update(json);
  return hash.digest("hex");
}
