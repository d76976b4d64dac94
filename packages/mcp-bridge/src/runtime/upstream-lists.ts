import { LISTS, mirroredHeaders, type JsonObject, type ListKind, type MirroredParam } from "@cortex-os/mcp-core/wire";
import { withMirroredParams } from "../http/param-headers.js";
import type { Link, UpstreamFacts } from "../link.js";
import type { UpstreamCall } from "./exchange.js";
import { listAll, type UpstreamList } from "./list-all.js";
import { readEntry } from "./listed-entry.js";
import type { CallToolOptions, ResolvedOptions } from "./remote-proxy-options.js";

/** Longest result of a call of the gateway's own, in bytes. */
const MAX_RESULT_BYTES = 32 * 1024 * 1024;

/** The lists of one upstream: asks for them, and remembers of the last list of tools which parameters a call must mirror into headers. */
export class UpstreamLists {
  readonly #options: ResolvedOptions;
  readonly #isHttp: boolean;
  #mirrored: ReadonlyMap<string, readonly MirroredParam[]>;

  constructor(options: ResolvedOptions, isHttp: boolean) {
    this.#options = options;
    this.#isHttp = isHttp;
    this.#mirrored = isHttp ? mirroredBy(options.known) : new Map();
  }

  /** @throws GatewayError as {@link listAll} */
  async list(kind: ListKind, link: Link, facts: UpstreamFacts): Promise<UpstreamList> {
    const { spec, logger, monotonic } = this.#options;
    const { mirrored, ...list } = await listAll({
      link,
      key: spec.key,
      kind,
      logger,
      monotonic,
      timeoutMs: spec.timeouts.listMs,
      mirrors: this.#isHttp && facts.era === "modern",
      declared: facts.capabilities[LISTS[kind].feature] !== undefined,
    });
    if (kind === "tools") this.#mirrored = mirrored;
    return list;
  }

  /** A call of the gateway's own. @throws GatewayError as `Link.request` */
  call(link: Link, name: string, args: JsonObject, { signal, timeoutMs }: CallToolOptions): Promise<JsonObject> {
    const mirrored = this.#mirrored.get(name);
    return link.request(
      "tools/call",
      { name, arguments: args },
      {
        timeoutMs: timeoutMs ?? this.#options.spec.timeouts.callMs,
        maxBytes: MAX_RESULT_BYTES,
        ...(signal === undefined ? {} : { signal }),
        ...(mirrored === undefined ? {} : { paramHeaders: mirroredHeaders(mirrored, args) }),
      },
    );
  }

  /** A client's call with the headers that its tool asks for. */
  mirror(call: UpstreamCall): UpstreamCall {
    return withMirroredParams(call, this.#mirrored);
  }
}

/** What calls of these tools mirror; entries that break the rules are not offered, so nobody calls them. */
function mirroredBy(tools: readonly JsonObject[]): ReadonlyMap<string, readonly MirroredParam[]> {
  const mirrored = new Map<string, readonly MirroredParam[]>();
  for (const tool of tools) {
    const read = readEntry("tools", tool, true);
    if (read.ok && read.mirrored.length > 0) mirrored.set(read.id, read.mirrored);
  }
  return mirrored;
}
