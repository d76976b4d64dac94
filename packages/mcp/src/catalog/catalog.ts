import { createHash } from "node:crypto";
import { DEFAULT_NAME_POLICY, type NamePolicy } from "@cortex-os/mcp-core";
import {
  isTtl,
  LIST_KINDS,
  LISTS,
  SERVER_FEATURES,
  type Era,
  type ListKind,
  type ServerFeature,
} from "@cortex-os/mcp-core/wire";
import type { CatalogEntry, ToolEntry } from "./catalog-entry.js";
import type { CatalogPart, CatalogTool, NameCollision } from "./catalog-part.js";
import type { EntryList } from "./entry-list.js";
import type { ListPage, ListPages } from "./list-pages.js";
import { MergedLists } from "./merged-lists.js";
import { LOCATED, LOCATED_TEMPLATES, namedBy } from "./naming-rule.js";
import type { ResourceResolver, ResolvedUri } from "./resource-resolver.js";

/** How a catalog is built. */
export interface CatalogPolicy {
  readonly names: NamePolicy;
  /** Longest time in milliseconds for which a client may keep a list; an upstream may ask for less. @default 300_000 */
  readonly ttlMs: number;
  /** Entries on one page of a list. @default 1_000 */
  readonly pageSize: number;
}

/** {@link CatalogPolicy}'s defaults. */
export const DEFAULT_CATALOG_POLICY: CatalogPolicy = { names: DEFAULT_NAME_POLICY, ttlMs: 300_000, pageSize: 1_000 };

/** The lists that the catalogs of one policy are made of, one catalog after the other: what did not change is not made again. */
export function catalogLists(policy: CatalogPolicy): MergedLists {
  if (!(policy.pageSize >= 1)) throw new RangeError(`pageSize must be at least 1, got ${policy.pageSize}`);
  if (!isTtl(policy.ttlMs)) throw new RangeError(`ttlMs must be a whole number >= 0, got ${String(policy.ttlMs)}`);
  const named = namedBy(policy.names);
  const rules = { tools: named, prompts: named, resources: LOCATED, resourceTemplates: LOCATED_TEMPLATES };
  return new MergedLists(rules, policy);
}

/**
 * Everything all connectors offer: an immutable snapshot. What clients see is encoded when it is built, and reading never waits.
 * The same parts and policy give the same bytes, whatever the order of the parts and whatever catalogs there were before (R23).
 */
export class Catalog {
  /** SHA-256 over everything a client can see, in hex. */
  readonly revision: string;
  /** Names that more than one tool claimed. */
  readonly collisions: readonly NameCollision[];
  /** Names that more than one prompt claimed. */
  readonly promptCollisions: readonly NameCollision[];
  /** Addresses that more than one resource, or more than one template, of a connector came to: they differ in what is no character. */
  readonly resourceCollisions: readonly NameCollision[];
  readonly #lists: MergedLists;
  readonly #tools: EntryList<ToolEntry>;
  readonly #prompts: EntryList;
  readonly #resolver: ResourceResolver;
  readonly #pages: Readonly<Record<ListKind, ListPages>>;

  /**
   * @param parts each key once
   * @param lists those of the catalog before, so that the work is that of what changed since. @default none: everything is encoded
   * @throws RangeError for a page size under 1 or a ttl that is no whole number of milliseconds from 0 on
   */
  constructor(
    parts: readonly CatalogPart[],
    policy: CatalogPolicy = DEFAULT_CATALOG_POLICY,
    lists: MergedLists = catalogLists(policy),
  ) {
    this.#pages = lists.update(parts);
    this.#lists = lists;
    this.#tools = lists.tools.entries;
    this.#prompts = lists.prompts.entries;
    this.collisions = lists.tools.collisions;
    this.promptCollisions = lists.prompts.collisions;
    this.resourceCollisions = [...lists.resources.collisions, ...lists.resourceTemplates.collisions];
    this.#resolver = lists.resolver;
    this.revision = digestOf(LIST_KINDS.map((kind) => this.#pages[kind].revision));
  }

  /** Sorted by name. */
  get tools(): readonly CatalogTool[] {
    return this.#tools.toArray();
  }

  /** How many entries a list has. */
  size(kind: ListKind): number {
    return this.#pages[kind].size;
  }

  /** The tool a client's name stands for. */
  find(name: string): CatalogTool | undefined {
    return this.#lists.tools.find(this.#tools, name);
  }

  /** The prompt a client's name stands for. */
  findPrompt(name: string): CatalogEntry | undefined {
    return this.#lists.prompts.find(this.#prompts, name);
  }

  /** Whose resource a URI names. */
  resolve(uri: string): ResolvedUri {
    return this.#resolver.resolve(uri);
  }

  /** The address that names this URI of the connector's and nobody else's. */
  addressOf(key: string, uri: string): string {
    return this.#resolver.addressOf(key, uri);
  }

  /** Whose a template is, given as it is listed; what is none is looked up as a URI. */
  resolveTemplate(template: string): ResolvedUri {
    return this.#resolver.resolveTemplate(template);
  }

  /**
   * The page of a list after `cursor`, from the start when it is `undefined` or empty.
   * @returns `undefined` when the cursor is none of ours (−32602)
   */
  page(kind: ListKind, era: Era, cursor: string | undefined): ListPage | undefined {
    return this.#pages[kind].page(era, cursor);
  }

  /** The features whose lists a client that had `before` has to ask for again; another caching hint is no reason to. */
  changesSince(before: Catalog): ReadonlySet<ServerFeature> {
    const changed = LIST_KINDS.filter(
      (kind) => this.#pages[kind].contentRevision !== before.#pages[kind].contentRevision,
    );
    const features = new Set<ServerFeature>(changed.map((kind) => LISTS[kind].feature));
    return new Set(SERVER_FEATURES.filter((feature) => features.has(feature)));
  }
}

const digestOf = (revisions: readonly string[]): string =>
  createHash("sha256").update(revisions.join("\n")).digest("hex");
