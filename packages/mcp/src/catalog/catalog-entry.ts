import type { JsonObject, MirroredParam } from "@cortex-os/mcp-core/wire";
import type { CatalogTool } from "./catalog-part.js";

/** A definition in JSON: a stretch of bytes that it shares with its neighbours. */
export interface EncodedDefinition {
  readonly chunk: Buffer;
  readonly start: number;
  readonly end: number;
}

/** What an entry is made of. */
export interface EntryFields {
  readonly id: string;
  readonly connector: string;
  readonly own: string;
  /** The member of a definition that it is known by. */
  readonly member: string;
  /** The definition as the upstream gave it. */
  readonly given: JsonObject;
  readonly encoded: EncodedDefinition;
  readonly legacy: EncodedDefinition | undefined;
}

/** One entry of a list. Its definition is kept once, as the upstream gave it, and once in bytes; everything else is made when somebody asks. */
export class CatalogEntry {
  /** The name, URI or URI template under which clients see it. */
  readonly id: string;
  /** The connector's key. */
  readonly connector: string;
  /** What the upstream calls it. */
  readonly own: string;
  readonly encoded: EncodedDefinition;
  /** As clients of the legacy era see it, when that is something else. */
  readonly legacy: EncodedDefinition | undefined;
  readonly #member: string;
  readonly #given: JsonObject;

  constructor({ id, connector, own, member, given, encoded, legacy }: EntryFields) {
    this.id = id;
    this.connector = connector;
    this.own = own;
    this.encoded = encoded;
    this.legacy = legacy;
    this.#member = member;
    this.#given = given;
  }

  /** The definition as clients see it. */
  get definition(): JsonObject {
    return renamed(this.#given, this.#member, this.id);
  }

  /** That definition in JSON. */
  get json(): string {
    const { chunk, start, end } = this.encoded;
    return chunk.toString("utf8", start, end);
  }
}

/** One tool of the catalog. */
export class ToolEntry extends CatalogEntry implements CatalogTool {
  declare readonly mirrored?: readonly MirroredParam[];

  constructor(fields: EntryFields, mirrored: readonly MirroredParam[] | undefined) {
    super(fields);
    if (mirrored !== undefined) this.mirrored = mirrored;
  }

  get name(): string {
    return this.id;
  }

  get tool(): string {
    return this.own;
  }
}

/** A definition under another name; its members stay in their order. */
export const renamed = (given: JsonObject, member: string, id: string): JsonObject =>
  given[member] === id ? given : { ...given, [member]: id };
