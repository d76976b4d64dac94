import { GatewayError, type ConnectorTimeouts } from "@cortex-os/mcp-core";
import { withMeta, type JsonObject } from "@cortex-os/mcp-core/wire";
import type { OwnRequestOptions, UpstreamFacts } from "../link.js";
import { modernMeta } from "../modern-meta.js";
import type { HttpUpstream } from "./http-upstream.js";
import type { Lane } from "./lanes.js";
import type { LegacySession } from "./legacy-session.js";
import type { LinkExchanges } from "./link-exchanges.js";
import { MessageExchange } from "./message-exchange.js";
import { ownSink } from "./own-sink.js";
import { prepareRequest } from "./request-preparation.js";

/** What {@link OwnRequests} work through. */
export interface OwnRequestsDeps {
  readonly upstream: HttpUpstream;
  readonly exchanges: LinkExchanges;
  readonly timeouts: ConnectorTimeouts;
  readonly clientInfo: JsonObject;
}

/** Requests of the gateway's own. */
export class OwnRequests {
  readonly #deps: OwnRequestsDeps;

  constructor(deps: OwnRequestsDeps) {
    this.#deps = deps;
  }

  /** The params with the metadata that the era asks for. */
  params(facts: UpstreamFacts, params: JsonObject): JsonObject {
    if (facts.era === "legacy") return params;
    return withMeta(params, modernMeta(facts.revision, this.#deps.clientInfo));
  }

  /**
   * @param session the session it is asked in, with a legacy upstream
   * @throws GatewayError as `Link.request`
   */
  ask(
    facts: UpstreamFacts,
    session: LegacySession | undefined,
    method: string,
    params: JsonObject,
    options: OwnRequestOptions,
  ): Promise<JsonObject> {
    const { exchanges, timeouts, upstream } = this.#deps;
    const { signal, timeoutMs, maxBytes, paramHeaders } = options;
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        exchange.cancel("no longer needed");
        finish(() => reject(new GatewayError("CANCELLED", `${method} was cancelled`)));
      };
      const finish = (settle: () => void) => {
        signal?.removeEventListener("abort", onAbort);
        settle();
      };
      const sink = ownSink(
        upstream.key,
        method,
        (result) => finish(() => resolve(result)),
        (error) => finish(() => reject(error)),
      );
      const id = upstream.nextId();
      const draft = { id, method, params: this.params(facts, params), session, revision: facts.revision, paramHeaders };
      // A call of the gateway's own may be long like every call; everything else it asks is short and must not wait for calls.
      const lane: Lane = method === "tools/call" ? "calls" : "control";
      const request = { ...prepareRequest(draft, timeouts), idleMs: timeoutMs, maxMs: timeoutMs, maxBytes, lane };
      const shape = {
        id,
        params: undefined,
        callerEra: facts.era,
        upstreamEra: facts.era,
        logLevel: undefined,
        isOwn: true,
      };
      const exchange = new MessageExchange(exchanges, request, sink, shape);
      if (signal?.aborted === true) onAbort();
      signal?.addEventListener("abort", onAbort);
      exchanges.start(exchange);
    });
  }
}
