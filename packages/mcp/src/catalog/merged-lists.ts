import type { ListKind } from "@cortex-os/mcp-core/wire";
import { CatalogEntry, type ToolEntry } from "./catalog-entry.js";
import type { CatalogPart } from "./catalog-part.js";
import type { EntryShape } from "./encode-claims.js";
import type { EntryList } from "./entry-list.js";
import { ListPages, type ListPolicy } from "./list-pages.js";
import { MergedList } from "./merged-list.js";
import type { NamingRule } from "./naming-rule.js";
import { ResourceResolver } from "./resource-resolver.js";
import { TOOL_SHAPE } from "./tool-shape.js";

/** How the names in each list are made. */
export type NamingRules = Readonly<Record<ListKind, NamingRule>>;

/** All lists of all connectors, kept from catalog to catalog: see {@link MergedList}. */
export class MergedLists {
  readonly #rules: NamingRules;
  readonly #policy: ListPolicy;
  #lists: Lists;
  #resolver: ResolverOf | undefined;
  #pages: Readonly<Record<ListKind, ListPages>> | undefined;

  constructor(rules: NamingRules, policy: ListPolicy) {
    this.#rules = rules;
    this.#policy = policy;
    this.#lists = listsBy(rules);
  }

  get tools(): MergedList<ToolEntry> {
    return this.#lists.tools;
  }

  get prompts(): MergedList<CatalogEntry> {
    return this.#lists.prompts;
  }

  get resources(): MergedList<CatalogEntry> {
    return this.#lists.resources;
  }

  get resourceTemplates(): MergedList<CatalogEntry> {
    return this.#lists.resourceTemplates;
  }

  /**
   * Takes in what the connectors offer now. When that fails, the next time is one from nothing: what was taken in by halves would be wrong for good.
   * @param parts each key once
   * @returns the lists in pages
   */
  update(parts: readonly CatalogPart[]): Readonly<Record<ListKind, ListPages>> {
    try {
      return this.#update(parts);
    } catch (error) {
      this.#lists = listsBy(this.#rules);
      throw error;
    }
  }

  /** Says whose a URI is, of what was taken in last. */
  get resolver(): ResourceResolver {
    return (this.#resolver ?? this.#resolverOf([])).is;
  }

  #update(parts: readonly CatalogPart[]): Readonly<Record<ListKind, ListPages>> {
    const { tools, resources, resourceTemplates, prompts } = this.#lists;
    const pagesOf = <E extends CatalogEntry>(kind: ListKind, list: MergedList<E>): ListPages => {
      list.update(parts);
      const lists = parts.flatMap((part) => part.lists[kind] ?? []);
      return new ListPages(kind, list.entries, lists, this.#policy, this.#pages?.[kind]);
    };
    const pages = {
      tools: pagesOf("tools", tools),
      resources: pagesOf("resources", resources),
      resourceTemplates: pagesOf("resourceTemplates", resourceTemplates),
      prompts: pagesOf("prompts", prompts),
    };
    this.#resolver = this.#resolverOf(parts);
    this.#pages = pages;
    return pages;
  }

  #resolverOf(parts: readonly CatalogPart[]): ResolverOf {
    const offering = parts.flatMap(({ key, lists }) => (lists.resources === undefined ? [] : [key])).toSorted();
    const [resources, templates] = [this.resources.entries, this.resourceTemplates.entries];
    const before = this.#resolver;
    const isSame =
      before?.resources === resources &&
      before.templates === templates &&
      before.offering.length === offering.length &&
      before.offering.every((key, at) => key === offering[at]);
    if (before !== undefined && isSame) return before;
    const is = new ResourceResolver(offering, resources.toArray(), templates.toArray());
    return { resources, templates, offering, is };
  }
}

interface Lists {
  readonly tools: MergedList<ToolEntry>;
  readonly prompts: MergedList<CatalogEntry>;
  readonly resources: MergedList<CatalogEntry>;
  readonly resourceTemplates: MergedList<CatalogEntry>;
}

const listsBy = (rules: NamingRules): Lists => ({
  tools: new MergedList("tools", rules.tools, TOOL_SHAPE),
  prompts: new MergedList("prompts", rules.prompts, shapeOf("name")),
  resources: new MergedList("resources", rules.resources, shapeOf("uri")),
  resourceTemplates: new MergedList("resourceTemplates", rules.resourceTemplates, shapeOf("uriTemplate")),
});

/** A resolver, and what it was made of. */
interface ResolverOf {
  readonly resources: EntryList;
  readonly templates: EntryList;
  readonly offering: readonly string[];
  readonly is: ResourceResolver;
}

const shapeOf = (member: string): EntryShape<CatalogEntry> => ({ member, make: (fields) => new CatalogEntry(fields) });
