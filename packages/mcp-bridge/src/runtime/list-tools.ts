import { GatewayError, type Logger } from "@cortex-os/mcp-core";
import { isJsonObject, mirroredParams, type JsonObject, type MirroredParam } from "@cortex-os/mcp-core/wire";
import { connectorName } from "../http/failures.js";
import type { Link } from "../link.js";

const MAX_BYTES = 16 * 1024 * 1024;
const MAX_TOOLS = 20_000;
const MAX_PAGES = 1_000;
const MAX_NAME_LENGTH = 512;
/** Most names in one warning. */
const MAX_SHOWN = 10;

/** An upstream's tools, as it listed them. */
export interface ToolList {
  /** Each has a `name` of 1 to 512 characters and an `inputSchema`; unknown keys are kept. */
  readonly tools: readonly JsonObject[];
  /** How long the list may be kept, in milliseconds: the least of all pages. Modern upstreams say it. */
  readonly ttlMs?: number;
  /** `private` as soon as one page is. */
  readonly cacheScope?: "public" | "private";
}

/** A {@link ToolList} and what its calls must mirror into headers. */
export interface ListedTools extends ToolList {
  /** By tool name; tools that mirror nothing are not in it. Empty for transports without headers. */
  readonly mirrored: ReadonlyMap<string, readonly MirroredParam[]>;
}

/** What {@link listAllTools} works with. */
export interface ListToolsDeps {
  readonly link: Link;
  readonly key: string;
  readonly logger: Logger;
  /** For one page, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether the upstream is modern and behind HTTP: then parameters may have to be mirrored. */
  readonly mirrors: boolean;
  /** Whether the upstream said that it has tools; without, an error answer means that it has none. */
  readonly declared: boolean;
}

/**
 * Asks for all pages of an upstream's tools: at most 16 MiB, 20,000 tools and 1,000 pages. What is no tool is left out with one warning.
 *
 * @throws GatewayError UPSTREAM_LIMIT beyond a bound, UPSTREAM_PROTOCOL for nonsense or a cursor that leads in a circle, or
 *   whatever `Link.request` fails with
 */
export async function listAllTools(deps: ListToolsDeps): Promise<ListedTools> {
  const { key } = deps;
  const listed = new Listing(deps);
  const seen = new Set<string>();
  let cursor: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const page = await firstOrPage(deps, cursor, listed.bytesLeft);
    if (page === undefined) return listed.done();
    listed.add(page);
    const next = page["nextCursor"];
    if (typeof next !== "string") return listed.done();
    if (seen.has(next))
      throw new GatewayError(
        "UPSTREAM_PROTOCOL",
        `${connectorName(key)} lists its tools in a circle: a cursor came twice`,
      );
    seen.add(next);
    cursor = next;
  }
  throw new GatewayError("UPSTREAM_LIMIT", `${connectorName(key)} lists its tools on more than ${MAX_PAGES} pages`);
}

async function firstOrPage(
  deps: ListToolsDeps,
  cursor: string | undefined,
  maxBytes: number,
): Promise<JsonObject | undefined> {
  try {
    return await deps.link.request("tools/list", cursor === undefined ? {} : { cursor }, {
      timeoutMs: deps.timeoutMs,
      maxBytes,
    });
  } catch (error) {
    const isAnswer = GatewayError.is(error) && error.data?.["upstreamCode"] !== undefined;
    if (isAnswer && !deps.declared && cursor === undefined) return undefined;
    throw error;
  }
}

class Listing {
  readonly #deps: ListToolsDeps;
  readonly #tools: JsonObject[] = [];
  readonly #mirrored = new Map<string, readonly MirroredParam[]>();
  readonly #leftOut: string[] = [];
  #bytes = 0;
  #ttlMs: number | undefined;
  #cacheScope: "public" | "private" | undefined;

  constructor(deps: ListToolsDeps) {
    this.#deps = deps;
  }

  get bytesLeft(): number {
    return MAX_BYTES - this.#bytes;
  }

  add(page: JsonObject): void {
    const { key } = this.#deps;
    const { tools, ttlMs, cacheScope } = page;
    if (!Array.isArray(tools))
      throw new GatewayError("UPSTREAM_PROTOCOL", `${connectorName(key)} answered tools/list without a list of tools`);
    for (const tool of tools) this.#addTool(tool);
    if (this.#tools.length > MAX_TOOLS) {
      throw new GatewayError("UPSTREAM_LIMIT", `${connectorName(key)} lists more than ${MAX_TOOLS} tools`);
    }
    this.#bytes += Buffer.byteLength(JSON.stringify(page));
    if (this.#bytes > MAX_BYTES)
      throw new GatewayError("UPSTREAM_LIMIT", `${connectorName(key)} lists more than ${MAX_BYTES} bytes of tools`);
    if (typeof ttlMs === "number" && ttlMs >= 0) this.#ttlMs = Math.min(ttlMs, this.#ttlMs ?? ttlMs);
    if (cacheScope === "private" || (cacheScope === "public" && this.#cacheScope === undefined))
      this.#cacheScope = cacheScope;
  }

  done(): ListedTools {
    if (this.#leftOut.length > 0) {
      const fields = {
        connectorId: this.#deps.key,
        count: this.#leftOut.length,
        tools: this.#leftOut.slice(0, MAX_SHOWN),
      };
      this.#deps.logger.warn(fields, "Tools that break the specification were left out");
    }
    return {
      tools: this.#tools,
      mirrored: this.#mirrored,
      ...(this.#ttlMs === undefined ? {} : { ttlMs: this.#ttlMs }),
      ...(this.#cacheScope === undefined ? {} : { cacheScope: this.#cacheScope }),
    };
  }

  #addTool(tool: unknown): void {
    if (!isJsonObject(tool)) {
      this.#leftOut.push("(an entry that is no object)");
      return;
    }
    const { name, inputSchema } = tool;
    if (typeof name !== "string" || name === "" || name.length > MAX_NAME_LENGTH) {
      this.#leftOut.push(`${name === undefined ? "undefined" : JSON.stringify(name).slice(0, 64)} (no usable name)`);
    } else if (!isJsonObject(inputSchema)) {
      this.#leftOut.push(`${name.slice(0, 64)} (no inputSchema)`);
    } else {
      const mirrored = this.#deps.mirrors ? mirroredParams(inputSchema) : { ok: true as const, params: [] };
      if (!mirrored.ok) {
        this.#leftOut.push(`${name.slice(0, 64)} (${mirrored.reason})`);
        return;
      }
      if (mirrored.params.length > 0) this.#mirrored.set(name, mirrored.params);
      this.#tools.push(tool);
    }
  }
}
