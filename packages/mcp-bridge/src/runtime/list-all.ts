import { GatewayError, type Logger, type Monotonic } from "@cortex-os/mcp-core";
import {
  isJsonObject,
  isTtl,
  LISTS,
  NOT_TO_KEEP,
  type Era,
  type JsonObject,
  type ListKind,
  type MirroredParam,
} from "@cortex-os/mcp-core/wire";
import { connectorName, timeoutFailure } from "../http/failures.js";
import type { Link } from "../link.js";
import { readEntry, WORDS } from "./listed-entry.js";

const MAX_BYTES = 16 * 1024 * 1024;
const MAX_ENTRIES = 20_000;
const MAX_PAGES = 1_000;
/** How many times the time of one page all pages may take together. */
const PAGES_OF_TIME = 4;
/** Most names in one warning. */
const MAX_SHOWN = 10;

/** One list of an upstream, as it gave it. */
export interface UpstreamList {
  /** Each has what it is known by (`name`, `uri` or `uriTemplate`), and a tool an `inputSchema`; unknown keys are kept. */
  readonly entries: readonly JsonObject[];
  /** How long the list may be kept, in milliseconds: the least of all pages, 0 for what is no such time. Modern upstreams say it, and one that does not counts as saying 0. */
  readonly ttlMs?: number;
  /** `private` as soon as one page is, or a modern upstream's says nothing that can be understood. */
  readonly cacheScope?: "public" | "private";
  /** Entries that break the specification and are not among the others, each with the reason; the first ten. */
  readonly leftOut?: readonly string[];
}

/** An {@link UpstreamList} and, of tools, what their calls must mirror into headers. */
export interface ListedEntries extends UpstreamList {
  /** By tool name; tools that mirror nothing are not in it. Empty for transports without headers, and for what are no tools. */
  readonly mirrored: ReadonlyMap<string, readonly MirroredParam[]>;
}

/** What {@link listAll} works with. */
export interface ListAllDeps {
  readonly link: Link;
  readonly key: string;
  readonly kind: ListKind;
  readonly logger: Logger;
  readonly monotonic: Monotonic;
  /** For one page, in milliseconds; the whole list may take four times that. */
  readonly timeoutMs: number;
  /** The upstream's: a modern one owes caching hints. */
  readonly era: Era;
  /** Whether the upstream is modern and behind HTTP: then parameters may have to be mirrored. */
  readonly mirrors: boolean;
  /** What was said of entries that break the specification, by list: the same is not said again. */
  readonly said: Map<string, string>;
  /** Whether the upstream said that it has such a list; without, an error answer means that it has none. */
  readonly declared: boolean;
}

/**
 * Asks for all pages of a list: at most 16 MiB, 20,000 entries and 1,000 pages. What is no such entry is left out with one warning.
 *
 * @throws GatewayError UPSTREAM_LIMIT beyond a bound, UPSTREAM_TIMEOUT when the whole takes too long, UPSTREAM_PROTOCOL for nonsense or a cursor that leads in a
 *   circle, or whatever `Link.request` fails with
 */
export async function listAll(deps: ListAllDeps): Promise<ListedEntries> {
  const { key, kind, monotonic, timeoutMs } = deps;
  const endMs = monotonic.elapsedMs() + PAGES_OF_TIME * timeoutMs;
  const listed = new Listing(deps);
  const seen = new Set<string>();
  let cursor: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const page = await firstOrPage(deps, cursor, { maxBytes: listed.bytesLeft, maxMs: endMs - monotonic.elapsedMs() });
    if (page === undefined) return listed.done();
    listed.add(page);
    const next = page["nextCursor"];
    if (typeof next !== "string") return listed.done();
    if (seen.has(next))
      throw new GatewayError(
        "UPSTREAM_PROTOCOL",
        `${connectorName(key)} lists its ${WORDS[kind]} in a circle: a cursor came twice`,
      );
    seen.add(next);
    cursor = next;
  }
  const message = `${connectorName(key)} lists its ${WORDS[kind]} on more than ${MAX_PAGES} pages`;
  throw new GatewayError("UPSTREAM_LIMIT", message);
}

async function firstOrPage(
  { link, key, kind, timeoutMs, declared }: ListAllDeps,
  cursor: string | undefined,
  left: { readonly maxBytes: number; readonly maxMs: number },
): Promise<JsonObject | undefined> {
  const { maxBytes, maxMs } = left;
  const tooLong = () => timeoutFailure(key, PAGES_OF_TIME * timeoutMs, `did not list all its ${WORDS[kind]}`);
  if (maxMs <= 0) throw tooLong();
  const params = cursor === undefined ? {} : { cursor };
  try {
    return await link.request(LISTS[kind].method, params, { timeoutMs: Math.min(timeoutMs, maxMs), maxBytes });
  } catch (error) {
    if (maxMs < timeoutMs && GatewayError.is(error) && error.code === "UPSTREAM_TIMEOUT") throw tooLong();
    const isAnswer = GatewayError.is(error) && error.data?.["upstreamCode"] !== undefined;
    if (isAnswer && !declared && cursor === undefined) return undefined;
    throw error;
  }
}

class Listing {
  readonly #deps: ListAllDeps;
  readonly #entries: JsonObject[] = [];
  readonly #mirrored = new Map<string, readonly MirroredParam[]>();
  readonly #leftOut: string[] = [];
  readonly #mended: string[] = [];
  #bytes = 0;
  #ttlMs: number | undefined;
  #cacheScope: "public" | "private" | undefined;

  constructor(deps: ListAllDeps) {
    this.#deps = deps;
  }

  get bytesLeft(): number {
    return MAX_BYTES - this.#bytes;
  }

  add(page: JsonObject): void {
    const { key, kind } = this.#deps;
    const { [kind]: entries, ttlMs, cacheScope } = page;
    const word = WORDS[kind];
    if (!Array.isArray(entries)) {
      const message = `${connectorName(key)} answered ${LISTS[kind].method} without a list of ${word}`;
      throw new GatewayError("UPSTREAM_PROTOCOL", message);
    }
    for (const entry of entries) this.#addEntry(entry);
    if (this.#entries.length > MAX_ENTRIES) {
      throw new GatewayError("UPSTREAM_LIMIT", `${connectorName(key)} lists more than ${MAX_ENTRIES} ${word}`);
    }
    this.#bytes += Buffer.byteLength(JSON.stringify(page));
    if (this.#bytes > MAX_BYTES)
      throw new GatewayError("UPSTREAM_LIMIT", `${connectorName(key)} lists more than ${MAX_BYTES} bytes of ${word}`);
    // Nobody may be promised more than each page does (2026-07-28, Caching).
    const isOwed = this.#deps.era === "modern";
    if (isOwed || ttlMs !== undefined) {
      const least = isTtl(ttlMs) ? ttlMs : NOT_TO_KEEP.ttlMs;
      this.#ttlMs = Math.min(least, this.#ttlMs ?? least);
    }
    if ((isOwed || cacheScope !== undefined) && this.#cacheScope !== "private")
      this.#cacheScope = cacheScope === "public" ? "public" : "private";
  }

  done(): ListedEntries {
    this.#say(this.#leftOut, "Entries that break the specification were left out of a list");
    const why = "Entries that break the specification were mended, or clients would refuse the whole list";
    this.#say(this.#mended, why);
    return {
      entries: this.#entries,
      mirrored: this.#mirrored,
      ...(this.#leftOut.length === 0 ? {} : { leftOut: this.#leftOut.slice(0, MAX_SHOWN) }),
      ...(this.#ttlMs === undefined ? {} : { ttlMs: this.#ttlMs }),
      ...(this.#cacheScope === undefined ? {} : { cacheScope: this.#cacheScope }),
    };
  }

  /** Once, and once more when it is about others. */
  #say(entries: readonly string[], what: string): void {
    const { key, kind, logger, said } = this.#deps;
    const name = `${kind} ${what}`;
    const text = entries.join("\n");
    if (said.get(name) === text) return;
    said.set(name, text);
    if (entries.length === 0) return;
    const fields = { connectorId: key, list: kind, count: entries.length, entries: entries.slice(0, MAX_SHOWN) };
    logger.warn(fields, what);
  }

  #addEntry(value: unknown): void {
    const { kind, mirrors } = this.#deps;
    const read = isJsonObject(value)
      ? readEntry(kind, value, mirrors)
      : { ok: false as const, reason: "(an entry that is no object)" };
    if (!read.ok) {
      this.#leftOut.push(read.reason);
      return;
    }
    if (read.mended.length > 0) this.#mended.push(`${read.id.slice(0, 64)} (${read.mended.join(", ")})`);
    if (read.mirrored.length > 0) this.#mirrored.set(read.id, read.mirrored);
    this.#entries.push(read.entry);
  }
}
