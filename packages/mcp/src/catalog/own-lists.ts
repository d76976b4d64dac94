import {
  LIST_KINDS,
  LISTS,
  SERVER_FEATURES,
  type Era,
  type JsonObject,
  type ListKind,
  type MirroredParam,
  type ServerFeature,
} from "@cortex-os/mcp-core/wire";
import { byCodeUnits } from "./by-code-units.js";
import type { CatalogPart } from "./catalog-part.js";
import { ListPages, type ListPage, type ListPolicy, type PageEntry } from "./list-pages.js";
import { mirroredBy, toolPageEntry } from "./name-tools.js";

/** What an entry of each list is known by. */
const ID = {
  tools: "name",
  resources: "uri",
  resourceTemplates: "uriTemplate",
  prompts: "name",
} as const satisfies Record<ListKind, string>;

/**
 * The lists of one connector as its upstream gave them: own names, own URIs, every member as it came. Only the order is ours, as in the catalog: sorted, so that a
 * cursor outlives a change, and one that the upstream lists twice counts once, the first time. Immutable; the same part gives the same bytes (R23).
 */
export class OwnLists {
  readonly #pages: ReadonlyMap<ListKind, ListPages>;
  readonly #mirrored: ReadonlyMap<string, readonly MirroredParam[]>;

  constructor({ lists }: CatalogPart, policy: ListPolicy) {
    const pages = new Map<ListKind, ListPages>();
    const mirrored = new Map<string, readonly MirroredParam[]>();
    for (const kind of LIST_KINDS) {
      const list = lists[kind];
      if (list === undefined) continue;
      const entries: PageEntry[] = [];
      for (const [id, definition] of firstById(list.entries, ID[kind])) {
        const json = JSON.stringify(definition);
        entries.push(kind === "tools" ? toolPageEntry(id, json, definition) : { id, json });
        const params = kind === "tools" ? mirroredBy(definition, json) : undefined;
        if (params !== undefined) mirrored.set(id, params);
      }
      entries.sort((a, b) => byCodeUnits(a.id, b.id));
      pages.set(kind, new ListPages(kind, entries, [list], policy));
    }
    this.#pages = pages;
    this.#mirrored = mirrored;
  }

  /** Whether the connector has such a list. */
  has(kind: ListKind): boolean {
    return this.#pages.has(kind);
  }

  /**
   * The page of a list after `cursor`, from the start when it is `undefined` or empty.
   * @returns `undefined` when the cursor is none of ours, or there is no such list
   */
  page(kind: ListKind, era: Era, cursor: string | undefined): ListPage | undefined {
    return this.#pages.get(kind)?.page(era, cursor);
  }

  /** The parameters of a tool that HTTP clients mirror into headers; `undefined` for one that asks for none. */
  mirroredOf(tool: string): readonly MirroredParam[] | undefined {
    return this.#mirrored.get(tool);
  }

  /** The features whose lists a client that had `before` has to ask for again. */
  changesSince(before: OwnLists): ReadonlySet<ServerFeature> {
    const isChanged = (kind: ListKind): boolean =>
      this.#pages.get(kind)?.contentRevision !== before.#pages.get(kind)?.contentRevision;
    return new Set(
      SERVER_FEATURES.filter((feature) =>
        LIST_KINDS.some((kind) => LISTS[kind].feature === feature && isChanged(kind)),
      ),
    );
  }
}

function firstById(entries: readonly JsonObject[], member: string): ReadonlyMap<string, JsonObject> {
  const byId = new Map<string, JsonObject>();
  for (const entry of entries) {
    const id = entry[member];
    // What has none cannot be asked for.
    if (typeof id === "string" && id !== "" && !byId.has(id)) byId.set(id, entry);
  }
  return byId;
}
