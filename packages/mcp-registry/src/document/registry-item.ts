import { ServerInfoSchema, type ServerInfo } from "@cortex-os/mcp-core";
import { isJsonObject } from "@cortex-os/mcp-core/wire";
import canonicalize from "canonicalize";
import { isDeeperThan } from "./depth.js";

/** The most bytes that one entry may have as JSON: with the one it replaces it must fit into a frame of the journal. */
const MAX_ENTRY_BYTES = 256 * 1024;
/** How many lists and objects within each other an entry may have: each level indents what is in it, and takes a part of the stack. */
const MAX_ENTRY_LEVELS = 64;
/** How many times longer than its RFC 8785 form an element may be in the file: one that indentation would make longer is not indented. */
const MOST_GROWTH = 6;

const MOST_ISSUES = 3;

/** An element of `servers`: what was read, and the server in it or the reason why there is none. A value; its texts are made once. */
export class RegistryItem {
  /** As it was read, with all that we do not understand. */
  readonly raw: unknown;
  /** What it calls itself, if that is a string. */
  readonly name: string | undefined;
  /** The server it describes; none when it is set aside. */
  readonly entry: ServerInfo | undefined;
  /** Why it is not served; holds field names, never values. Empty for one that is. */
  readonly reason: string;
  #canonical: string | undefined;
  #listed: Buffer | undefined;
  #summed: Buffer | undefined;

  private constructor(raw: unknown, name: string | undefined, outcome: { entry?: ServerInfo; reason?: string }) {
    this.raw = raw;
    this.name = name;
    this.entry = outcome.entry;
    this.reason = outcome.reason ?? "";
  }

  /** Never throws: what is no server becomes an item that is set aside. */
  static of(raw: unknown): RegistryItem {
    const parsed = ServerInfoSchema.safeParse(raw);
    if (parsed.success && isDeeperThan(raw, MAX_ENTRY_LEVELS))
      return new RegistryItem(raw, parsed.data.name, { reason: `it has more than ${MAX_ENTRY_LEVELS} levels` });
    if (parsed.success) {
      const item = new RegistryItem(raw, parsed.data.name, { entry: deepFrozen(parsed.data) });
      if (Buffer.byteLength(item.canonical) <= MAX_ENTRY_BYTES) return item;
      return new RegistryItem(raw, parsed.data.name, { reason: `it is longer than ${MAX_ENTRY_BYTES} bytes` });
    }
    const name = isJsonObject(raw) && typeof raw["name"] === "string" ? raw["name"] : undefined;
    return new RegistryItem(raw, name, { reason: reasonOfIssues(parsed.error.issues) });
  }

  // The next two are bytes, which are put together several times faster than texts are: at each flush those of thousands of items.

  /** How it stands in the file behind another: a comma, and indented below `servers`. */
  get listed(): Buffer {
    this.#listed ??= Buffer.from(`,\n    ${this.#indented()}`);
    return this.#listed;
  }

  #indented(): string {
    const text = JSON.stringify(this.raw, null, 2).replaceAll("\n", "\n    ");
    return text.length > MOST_GROWTH * this.canonical.length ? JSON.stringify(this.raw) : text;
  }

  /** A comma and the RFC 8785 form: what is summed of it behind another. */
  get summed(): Buffer {
    this.#summed ??= Buffer.from(`,${this.canonical}`);
    return this.#summed;
  }

  /** Its RFC 8785 form; two items with the same one say the same. */
  get canonical(): string {
    this.#canonical ??= canonicalText(this.raw);
    return this.#canonical;
  }
}

/** The RFC 8785 form of a JSON value. Text that is no Unicode has none: it is written as JavaScript does. */
export function canonicalText(value: unknown): string {
  try {
    return canonicalize(value) ?? "null";
  } catch {
    return JSON.stringify(value);
  }
}

/** The first issues of a refused entry in one line: the field, then what is wrong with it. */
export function reasonOfIssues(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): string {
  const told = issues
    .slice(0, MOST_ISSUES)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`));
  const more = issues.length - told.length;
  return [...told, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

function deepFrozen<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const member of Object.values(value)) deepFrozen(member);
  return Object.freeze(value);
}
