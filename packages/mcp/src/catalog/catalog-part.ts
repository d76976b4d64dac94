import type { JsonObject, ListKind, MirroredParam } from "@cortex-os/mcp-core/wire";

/** One list of a connector, as its upstream gave it. */
export interface PartList {
  /** Definitions with the upstream's own names and URIs; fields we do not know are kept. */
  readonly entries: readonly JsonObject[];
  /** The upstream's caching hint in milliseconds, when it gave one. */
  readonly ttlMs?: number;
  /** `private` as soon as the upstream said so. */
  readonly cacheScope?: "public" | "private";
  /** Entries that are not offered because they break the specification, each with the reason. */
  readonly leftOut?: readonly string[];
}

/** What one connector offers, as its upstream described it. */
export interface CatalogPart {
  /** The connector's key. */
  readonly key: string;
  /** Its lists; one that it does not offer is absent. */
  readonly lists: Readonly<Partial<Record<ListKind, PartList>>>;
}

/** The entries of one of a connector's lists; none when it does not offer such a list. */
export const entriesOf = ({ lists }: CatalogPart, kind: ListKind): readonly JsonObject[] => lists[kind]?.entries ?? [];

/** One tool of the catalog. */
export interface CatalogTool {
  /** The name clients see. */
  readonly name: string;
  /** The connector's key. */
  readonly connector: string;
  /** The name the upstream knows. */
  readonly tool: string;
  /** The definition as clients see it. */
  readonly definition: JsonObject;
  /** That definition in JSON. */
  readonly json: string;
  /** The parameters that HTTP clients mirror into headers; absent for a tool that asks for none. */
  readonly mirrored?: readonly MirroredParam[];
}

/** A public name that more than one tool, or more than one prompt, claimed: all of them were refused. */
export interface NameCollision {
  readonly name: string;
  /** The claimants as `connector/tool`, sorted. */
  readonly claimants: readonly string[];
}
