import { createHash } from "node:crypto";
import { DEFAULT_NAME_POLICY, type NamePolicy } from "@cortex-os/mcp-core";
import type { Era } from "@cortex-os/mcp-core/wire";
import type { CatalogPart, CatalogTool, NameCollision, PartList } from "./catalog-part.js";
import { decodeCursor, encodeCursor } from "./cursor.js";
import { nameTools } from "./name-tools.js";

/** How a catalog is built. */
export interface CatalogPolicy {
  readonly names: NamePolicy;
  /** Longest time in milliseconds for which a client may keep a list; an upstream may ask for less. @default 300_000 */
  readonly ttlMs: number;
  /** Tools on one page. @default 1_000 */
  readonly pageSize: number;
}

/** {@link CatalogPolicy}'s defaults. */
export const DEFAULT_CATALOG_POLICY: CatalogPolicy = { names: DEFAULT_NAME_POLICY, ttlMs: 300_000, pageSize: 1_000 };

/** The bytes of one page's result object, in pieces to be written one after the other. */
export type ListPage = readonly Buffer[];

/**
 * Everything all connectors offer: an immutable snapshot. Pages are encoded when it is built, once for both eras, and reading never waits.
 * The same parts and policy give the same bytes, whatever the order of the parts (R23).
 */
export class Catalog {
  /** SHA-256 over everything a client can see, in hex. */
  readonly revision: string;
  /** Sorted by name. */
  readonly tools: readonly CatalogTool[];
  readonly collisions: readonly NameCollision[];
  readonly #byName: ReadonlyMap<string, CatalogTool>;
  readonly #pages: ReadonlyMap<string, Readonly<Record<Era, ListPage>>>;
  readonly #pageSize: number;
  readonly #modernTail: string;

  /** @throws RangeError for a page size under 1 or a ttl that is no whole number of milliseconds from 0 on */
  constructor(parts: readonly CatalogPart[], policy: CatalogPolicy = DEFAULT_CATALOG_POLICY) {
    if (!(policy.pageSize >= 1)) throw new RangeError(`pageSize must be at least 1, got ${policy.pageSize}`);
    if (!isTtl(policy.ttlMs)) throw new RangeError(`ttlMs must be a whole number >= 0, got ${policy.ttlMs}`);
    const { tools, collisions } = nameTools(parts, policy.names);
    this.tools = tools;
    this.collisions = collisions;
    this.#pageSize = policy.pageSize;
    this.#byName = new Map(tools.map((tool) => [tool.name, tool]));
    // A merged list is as fresh as its least fresh part, and private as soon as one part is (reliability.md, 1.3).
    const ttlMs = parts.reduce((least, { lists }) => Math.min(least, ttlOf(lists.tools, policy.ttlMs)), policy.ttlMs);
    const cacheScope = parts.some(({ lists }) => lists.tools?.cacheScope === "private") ? "private" : "public";
    this.#modernTail = `,"ttlMs":${ttlMs},"cacheScope":"${cacheScope}"}`;
    this.revision = revisionOf(tools, this.#modernTail);
    this.#pages = this.#encodePages();
  }

  /** The tool a client's name stands for. */
  find(name: string): CatalogTool | undefined {
    return this.#byName.get(name);
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
    const start = this.tools.findIndex((tool) => tool.name > after);
    return this.#encode(start === -1 ? this.tools.length : start)[era];
  }

  #encodePages(): ReadonlyMap<string, Readonly<Record<Era, ListPage>>> {
    const pages = new Map<string, Readonly<Record<Era, ListPage>>>();
    for (let start = 0; start === 0 || start < this.tools.length; start += this.#pageSize) {
      const before = this.tools[start - 1];
      pages.set(before === undefined ? "" : encodeCursor(before.name), this.#encode(start));
    }
    return pages;
  }

  #encode(start: number): Readonly<Record<Era, ListPage>> {
    const end = start + this.#pageSize;
    const onPage = this.tools.slice(start, end);
    const last = end < this.tools.length ? onPage.at(-1) : undefined;
    const list = Buffer.from(`"tools":[${onPage.map((tool) => tool.json).join(",")}]`);
    const next = last === undefined ? "" : `,"nextCursor":"${encodeCursor(last.name)}"`;
    return {
      modern: [Buffer.from('{"resultType":"complete",'), list, Buffer.from(next + this.#modernTail)],
      legacy: [Buffer.from("{"), list, Buffer.from(`${next}}`)],
    };
  }
}

const isTtl = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** A hint that is negative or no whole number counts as 0 (2026-07-28, Caching): nothing else may reach our bytes. */
function ttlOf(list: PartList | undefined, none: number): number {
  if (list?.ttlMs === undefined) return none;
  return isTtl(list.ttlMs) ? list.ttlMs : 0;
}

function revisionOf(tools: readonly CatalogTool[], tail: string): string {
  const hash = createHash("sha256").update(tail);
  for (const tool of tools) hash.update("\n").update(tool.json);
  return hash.digest("hex");
}
