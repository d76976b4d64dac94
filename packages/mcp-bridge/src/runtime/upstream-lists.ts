import { GatewayError, WIRE_CODE } from "@cortex-os/mcp-core";
import { LISTS, mirroredHeaders, type JsonObject, type ListKind, type MirroredParam } from "@cortex-os/mcp-core/wire";
import { isOursToMirror, withMirroredParams } from "../http/param-headers.js";
import type { Link, UpstreamFacts } from "../link.js";
import type { AnswerSink, Exchange, UpstreamCall } from "./exchange.js";
import { listAll, type UpstreamList } from "./list-all.js";
import { readEntry } from "./listed-entry.js";
import { isSame, MirroredCall } from "./mirrored-call.js";
import type { CallToolOptions, ResolvedOptions } from "./remote-proxy-options.js";

/** Longest result of a call of the gateway's own, in bytes. */
const MAX_RESULT_BYTES = 32 * 1024 * 1024;

/** The lists of one upstream: asks for them, and remembers of the last list of tools which parameters a call must mirror into headers. */
export class UpstreamLists {
  readonly #options: ResolvedOptions;
  readonly #isHttp: boolean;
  /** What was said of the entries that are left out or mended: it is said once, and not with each list. */
  readonly #said = new Map<string, string>();
  #mirrored: ReadonlyMap<string, readonly MirroredParam[]>;
  /** Tools are being listed because a call's headers were refused: calls that are refused meanwhile wait for the same list. */
  #relisting: Promise<void> | undefined;

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
      said: this.#said,
      timeoutMs: spec.timeouts.listMs,
      era: facts.era,
      mirrors: this.#mirrors(facts),
      declared: facts.capabilities[LISTS[kind].feature] !== undefined,
    });
    if (kind === "tools") this.#mirrored = mirrored;
    return list;
  }

  /** A call of the gateway's own; sent once more, as {@link MirroredCall} is, when its headers were refused. @throws GatewayError as `Link.request` */
  async call(
    link: Link,
    facts: UpstreamFacts,
    name: string,
    args: JsonObject,
    options: CallToolOptions,
  ): Promise<JsonObject> {
    const headers = this.#headersFor(name, args);
    try {
      return await this.#request(link, name, args, headers, options);
    } catch (error) {
      const isMismatch = GatewayError.is(error) && error.data?.["upstreamCode"] === WIRE_CODE.HEADER_MISMATCH;
      if (!isMismatch || !this.#mirrors(facts)) throw error;
      await this.#relist(link, facts).catch(() => {});
      const now = this.#headersFor(name, args);
      if (isSame(now, headers)) throw error;
      return this.#request(link, name, args, now, options);
    }
  }

  /** A client's call, with the headers that its tool asks for. */
  send(link: Link, facts: UpstreamFacts, call: UpstreamCall, sink: AnswerSink): Exchange {
    if (!this.#mirrors(facts) || !isOursToMirror(call)) return link.send(call, sink);
    const deps = {
      mirror: () => withMirroredParams(call, this.#mirrored),
      send: (mirrored: UpstreamCall, to: AnswerSink) => link.send(mirrored, to),
      relist: () => this.#relist(link, facts),
    };
    return new MirroredCall(deps, sink);
  }

  #mirrors({ era }: UpstreamFacts): boolean {
    return this.#isHttp && era === "modern";
  }

  #headersFor(name: string, args: JsonObject): Record<string, string> {
    return mirroredHeaders(this.#mirrored.get(name) ?? [], args);
  }

  #relist(link: Link, facts: UpstreamFacts): Promise<void> {
    this.#relisting ??= this.list("tools", link, facts)
      .then(() => {})
      .finally(() => {
        this.#relisting = undefined;
      });
    return this.#relisting;
  }

  #request(
    link: Link,
    name: string,
    args: JsonObject,
    paramHeaders: Readonly<Record<string, string>>,
    { signal, timeoutMs }: CallToolOptions,
  ): Promise<JsonObject> {
    return link.request(
      "tools/call",
      { name, arguments: args },
      {
        timeoutMs: timeoutMs ?? this.#options.spec.timeouts.callMs,
        maxBytes: MAX_RESULT_BYTES,
        ...(signal === undefined ? {} : { signal }),
        paramHeaders,
      },
    );
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
