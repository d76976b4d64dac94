import {
  LIST_KINDS,
  LISTS,
  SERVER_FEATURES,
  type Era,
  type ListKind,
  type MirroredParam,
  type ServerFeature,
} from "@cortex-os/mcp-core/wire";
import type { ToolEntry } from "./catalog-entry.js";
import type { CatalogPart } from "./catalog-part.js";
import type { EntryList } from "./entry-list.js";
import type { ListPage, ListPages, ListPolicy } from "./list-pages.js";
import { MergedLists } from "./merged-lists.js";
import { OWN_NAMES } from "./naming-rule.js";

/**
 * The lists of one connector as its upstream gave them: own names, own URIs, every member as it came. Only the order is ours, as in the catalog: sorted, so that a
 * cursor outlives a change, and one that the upstream lists twice counts once, the first time. Immutable; the same part gives the same bytes (R23).
 */
export class OwnLists {
  readonly #pages: ReadonlyMap<ListKind, ListPages>;
  readonly #tools: EntryList<ToolEntry>;

  constructor(part: CatalogPart, policy: ListPolicy) {
    const names = { tools: OWN_NAMES, resources: OWN_NAMES, resourceTemplates: OWN_NAMES, prompts: OWN_NAMES };
    const lists = new MergedLists(names, policy);
    const pages = lists.update([part]);
    this.#pages = new Map(LIST_KINDS.flatMap((kind) => (part.lists[kind] === undefined ? [] : [[kind, pages[kind]]])));
    this.#tools = lists.tools.entries;
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
    return this.#tools.get(tool)?.mirrored;
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
