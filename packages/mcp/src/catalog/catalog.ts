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
import type { CatalogPart, CatalogTool, LocatedEntry, NameCollision, NamedEntry } from "./catalog-part.js";
import { ListPages, type ListPage, type PageEntry } from "./list-pages.js";
import { locateEntries } from "./locate-entries.js";
import { nameEntries } from "./name-entries.js";
import { nameTools, toolPageEntry } from "./name-tools.js";
import { ResourceResolver, type ResolvedUri } from "./resource-resolver.js";

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

/**
 * Everything all connectors offer: an immutable snapshot. Pages are encoded when it is built, once for both eras, and reading never waits.
 * The same parts and policy give the same bytes, whatever the order of the parts (R23).
 */
export class Catalog {
  /** SHA-256 over everything a client can see, in hex. */
  readonly revision: string;
  /** Sorted by name. */
  readonly tools: readonly CatalogTool[];
  /** Sorted by name. */
  readonly prompts: readonly NamedEntry[];
  /** Sorted by URI. */
  readonly resources: readonly LocatedEntry[];
  /** Sorted by URI template. */
  readonly resourceTemplates: readonly LocatedEntry[];
  /** Names that more than one tool claimed. */
  readonly collisions: readonly NameCollision[];
  /** Names that more than one prompt claimed. */
  readonly promptCollisions: readonly NameCollision[];
  readonly #tools: ReadonlyMap<string, CatalogTool>;
  readonly #prompts: ReadonlyMap<string, NamedEntry>;
  readonly #resolver: ResourceResolver;
  readonly #pages: Readonly<Record<ListKind, ListPages>>;

  /** @throws RangeError for a page size under 1 or a ttl that is no whole number of milliseconds from 0 on */
  constructor(parts: readonly CatalogPart[], policy: CatalogPolicy = DEFAULT_CATALOG_POLICY) {
    if (!(policy.pageSize >= 1)) throw new RangeError(`pageSize must be at least 1, got ${policy.pageSize}`);
    if (!isTtl(policy.ttlMs)) throw new RangeError(`ttlMs must be a whole number >= 0, got ${String(policy.ttlMs)}`);
    const { tools, collisions } = nameTools(parts, policy.names);
    const { entries: prompts, collisions: promptCollisions } = nameEntries(parts, "prompts", policy.names);
    this.tools = tools;
    this.prompts = prompts;
    this.resources = locateEntries(parts, "resources");
    this.resourceTemplates = locateEntries(parts, "resourceTemplates");
    this.collisions = collisions;
    this.promptCollisions = promptCollisions;
    this.#tools = new Map(tools.map((tool) => [tool.name, tool]));
    this.#prompts = new Map(prompts.map((prompt) => [prompt.name, prompt]));
    const offering = parts.filter(({ lists }) => lists.resources !== undefined).map(({ key }) => key);
    this.#resolver = new ResourceResolver(offering.toSorted(), this.resources, this.resourceTemplates);
    const pagesOf = (kind: ListKind, entries: readonly PageEntry[]): ListPages => {
      const lists = parts.flatMap((part) => part.lists[kind] ?? []);
      return new ListPages(kind, entries, lists, policy);
    };
    this.#pages = {
      tools: pagesOf(
        "tools",
        tools.map(({ name, json, definition }) => toolPageEntry(name, json, definition)),
      ),
      resources: pagesOf("resources", this.resources.map(byUri)),
      resourceTemplates: pagesOf("resourceTemplates", this.resourceTemplates.map(byUri)),
      prompts: pagesOf("prompts", prompts.map(byName)),
    };
    this.revision = digestOf(LIST_KINDS.map((kind) => this.#pages[kind].revision));
  }

  /** The tool a client's name stands for. */
  find(name: string): CatalogTool | undefined {
    return this.#tools.get(name);
  }

  /** The prompt a client's name stands for. */
  findPrompt(name: string): NamedEntry | undefined {
    return this.#prompts.get(name);
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

const byName = ({ name, json }: { readonly name: string; readonly json: string }): PageEntry => ({ id: name, json });

const byUri = ({ uri, json }: LocatedEntry): PageEntry => ({ id: uri, json });

const digestOf = (revisions: readonly string[]): string =>
  createHash("sha256").update(revisions.join("\n")).digest("hex");
