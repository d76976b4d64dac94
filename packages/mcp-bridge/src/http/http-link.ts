import { GatewayError, messageOf, type ConnectorTimeouts } from "@cortex-os/mcp-core";
import {
  META,
  paramsForUpstream,
  progressTokenOf,
  withMeta,
  type Era,
  type JsonObject,
  type RequestId,
  type ServerFeature,
} from "@cortex-os/mcp-core/wire";
import type { ByteBudget } from "../byte-budget.js";
import {
  GATEWAY_INFO,
  type CloseOptions,
  type Link,
  type LinkDeps,
  type OwnRequestOptions,
  type UpstreamFacts,
} from "../link.js";
import type { AnswerSink, Exchange, UpstreamCall } from "../runtime/exchange.js";
import { ByteExchange } from "./byte-exchange.js";
import { EraWatch } from "./era-watch.js";
import type { PreparedRequest } from "./exchange-host.js";
import { closedFailure, protocolFailure } from "./failures.js";
import type { Handshake } from "./handshake.js";
import type { HttpUpstream, Lane } from "./http-upstream.js";
import { LegacySession } from "./legacy-session.js";
import { LinkExchanges } from "./link-exchanges.js";
import { changesOf } from "./list-changes.js";
import type { Listening } from "./listening.js";
import { MessageExchange } from "./message-exchange.js";
import { ownSink } from "./own-sink.js";
import { modernHeaders, POST_HEADERS } from "./request-headers.js";
import type { SessionBook } from "./session-book.js";
import type { UpstreamExchange } from "./upstream-exchange.js";

/** A remembered verdict older than this is found out anew: an upstream may have become modern. */
const PRIOR_MAX_AGE_MS = 24 * 60 * 60 * 1_000;
/** Longest message of an answer that is read, in bytes. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;

const NOTHING: Exchange = { cancel: () => {}, resume: () => {} };

/** What outlives a link to an HTTP upstream: its sockets and its clients' sessions. */
export interface HttpLinkDeps extends LinkDeps {
  readonly upstream: HttpUpstream;
  /** What unfinished answers of this upstream may hold together. */
  readonly budget: ByteBudget;
  readonly handshake: Handshake;
  readonly sessions: SessionBook;
}

/** {@link Link} over Streamable HTTP, in either era. */
export class HttpLink implements Link {
  readonly #deps: HttpLinkDeps;
  readonly #key: string;
  readonly #timeouts: ConnectorTimeouts;
  readonly #clientInfo: JsonObject;
  readonly #exchanges: LinkExchanges;
  #facts: UpstreamFacts | undefined;
  /** The gateway's own session with a legacy upstream. */
  #control: LegacySession | undefined;
  #listening: Listening | undefined;
  #eraWatch: EraWatch | undefined;
  #phase: "live" | "lost" | "closed" = "live";

  constructor(deps: HttpLinkDeps) {
    this.#deps = deps;
    this.#key = deps.spec.key;
    this.#timeouts = deps.spec.timeouts;
    this.#clientInfo = deps.clientInfo ?? GATEWAY_INFO;
    this.#exchanges = new LinkExchanges(deps.upstream, deps, {
      onListChanged: (feature) => this.#listChanged(feature),
      onUnreachable: (error) => this.#lost(error),
      onRefused: () => this.#eraWatch?.doubt(),
      onSessionLost: (session) => {
        // Whoever listens learns of a restart by the broken stream; without a stream this is the only sign.
        if (session === this.#control || this.#listening === undefined) this.#listChanged("tools");
      },
      onNoteFailed: (error) => {
        deps.logger.debug(
          { connectorId: this.#key, reason: messageOf(error) },
          "A notification did not reach the upstream",
        );
      },
    });
  }

  async open(signal: AbortSignal): Promise<UpstreamFacts> {
    const { clock, handshake, prior } = this.#deps;
    const known = prior?.era === "legacy" && clock.now() - Date.parse(prior.detectedAt) < PRIOR_MAX_AGE_MS;
    const greeting = await handshake.greet(known, signal);
    const { era, revision, capabilities, serverInfo, instructions } = greeting;
    const facts: UpstreamFacts = {
      era,
      revision,
      capabilities,
      ...(serverInfo === undefined ? {} : { serverInfo }),
      ...(instructions === undefined ? {} : { instructions }),
      detectedAt: known && era === "legacy" ? prior.detectedAt : new Date(clock.now()).toISOString(),
    };
    this.#facts = facts;
    if (greeting.era === "legacy") {
      const ports = {
        open: () => handshake.openSession(revision, undefined),
        end: (session: Parameters<Handshake["endSession"]>[0]) => handshake.endSession(session),
        closedError: () => closedFailure(this.#key),
      };
      this.#control = new LegacySession(ports, greeting.session);
    }
    const { monotonic } = this.#deps;
    const onChanged = (now: Era) =>
      this.#lost(protocolFailure(this.#key, `is not the server it was: it is ${now} now`));
    this.#eraWatch = new EraWatch({ handshake, monotonic, era, onChanged });
    if (this.#phase === "live") this.#listen(facts);
    else void this.#control?.close();
    return facts;
  }

  send(call: UpstreamCall, sink: AnswerSink): Exchange {
    const facts = this.#facts;
    if (facts === undefined || this.#phase !== "live") {
      sink.fail(closedFailure(this.#key));
      return NOTHING;
    }
    try {
      const exchange = facts.era === "modern" ? this.#modern(facts, call, sink) : this.#legacy(facts, call, sink);
      this.#exchanges.start(exchange);
      return exchange;
    } catch (error) {
      sink.fail(GatewayError.from(error, "INTERNAL", `${call.method} cannot be sent`));
      return NOTHING;
    }
  }

  request(method: string, params: JsonObject, options: OwnRequestOptions): Promise<JsonObject> {
    const facts = this.#facts;
    if (facts === undefined || this.#phase !== "live") return Promise.reject(closedFailure(this.#key));
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
        this.#key,
        method,
        (result) => finish(() => resolve(result)),
        (error) => finish(() => reject(error)),
      );
      const id = this.#deps.upstream.nextId();
      const shape = { id, params: undefined, callerEra: facts.era, upstreamEra: facts.era, isOwn: true };
      const prepared = this.#prepared(
        id,
        method,
        this.#ownParams(facts, params),
        this.#control,
        facts.revision,
        paramHeaders,
      );
      // A call of the gateway's own may be long like every call; everything else it asks is short and must not wait for calls.
      const lane: Lane = method === "tools/call" ? "calls" : "control";
      const limits = { idleMs: timeoutMs, maxMs: timeoutMs, maxBytes, lane };
      const exchange = new MessageExchange(this.#exchanges, { ...prepared, ...limits }, sink, shape);
      if (signal?.aborted === true) onAbort();
      signal?.addEventListener("abort", onAbort);
      this.#exchanges.start(exchange);
    });
  }

  get hearsChanges(): boolean {
    return this.#listening?.hears === true;
  }

  endSession(sessionKey: string): void {
    this.#deps.sessions.end(sessionKey);
  }

  async close({ drain = false, error = closedFailure(this.#key) }: CloseOptions = {}): Promise<void> {
    this.#phase = "closed";
    this.#listening?.stop();
    this.#eraWatch?.stop();
    if (drain) await this.#exchanges.drained();
    else this.#exchanges.failAll(error);
    await this.#control?.close();
  }

  #modern(facts: UpstreamFacts, call: UpstreamCall, sink: AnswerSink): UpstreamExchange {
    const { caller, id, method, params, paramHeaders } = call;
    if (caller.era === "modern") {
      const prepared = this.#prepared(id, method, params, undefined, caller.revision, paramHeaders);
      return new ByteExchange(this.#exchanges, prepared, sink);
    }
    return this.#message(facts, call, sink, undefined);
  }

  #legacy(facts: UpstreamFacts, call: UpstreamCall, sink: AnswerSink): UpstreamExchange {
    const { caller, id, method, params } = call;
    const control = this.#control?.facts;
    const keepsNone = control !== undefined && control.id === undefined;
    const session = keepsNone ? this.#control : this.#deps.sessions.of(caller);
    // Callers that share a session, or an upstream that has none and may keep one table for everybody, get ids of the link's own:
    // two clients both begin to count at 0 (CVE-2026-25536).
    if (caller.era === "legacy" && !keepsNone && caller.sessionKey !== undefined) {
      return new ByteExchange(this.#exchanges, this.#prepared(id, method, params, session, facts.revision), sink);
    }
    return this.#message(facts, call, sink, session);
  }

  #message(
    facts: UpstreamFacts,
    call: UpstreamCall,
    sink: AnswerSink,
    session: LegacySession | undefined,
  ): UpstreamExchange {
    const { caller, method, params, paramHeaders } = call;
    const id = this.#deps.upstream.nextId();
    const converted = paramsForUpstream(params, caller, facts);
    const asked = progressTokenOf(params) === undefined ? converted : withMeta(converted, { progressToken: id });
    const prepared = this.#prepared(id, method, asked, session, facts.revision, paramHeaders);
    const eras: { callerEra: Era; upstreamEra: Era } = { callerEra: caller.era, upstreamEra: facts.era };
    return new MessageExchange(this.#exchanges, prepared, sink, {
      id: call.id,
      params,
      ...eras,
    });
  }

  #prepared(
    id: RequestId,
    method: string,
    params: JsonObject | undefined,
    session: LegacySession | undefined,
    revision: string,
    paramHeaders?: Readonly<Record<string, string>>,
  ): PreparedRequest {
    const body = JSON.stringify({ jsonrpc: "2.0", id, method, params });
    const headers =
      session === undefined
        ? [...POST_HEADERS, ...modernHeaders(revision, method, params, paramHeaders)]
        : POST_HEADERS;
    const { callMs: idleMs, callMaxMs: maxMs } = this.#timeouts;
    return { id, method, body, headers, session, lane: "calls", maxBytes: MAX_MESSAGE_BYTES, idleMs, maxMs };
  }

  #ownParams(facts: UpstreamFacts, params: JsonObject): JsonObject {
    if (facts.era === "legacy") return params;
    return withMeta(params, {
      [META.protocolVersion]: facts.revision,
      [META.clientInfo]: this.#clientInfo,
      [META.clientCapabilities]: {},
    });
  }

  #listen(facts: UpstreamFacts): void {
    this.#listening = changesOf({
      ...this.#deps,
      facts,
      control: this.#control,
      params: this.#ownParams(facts, { notifications: { toolsListChanged: true } }),
      onListChanged: () => this.#listChanged("tools"),
      onRequest: (session, { id, method }) => this.#exchanges.refuseOn(session, id, method),
      onUnreachable: (error) => this.#lost(error),
    });
    this.#listening?.start();
  }

  #listChanged(feature: ServerFeature): void {
    if (this.#phase === "live") this.#deps.events.onListChanged(feature);
  }

  #lost(error: GatewayError): void {
    if (this.#phase !== "live") return;
    this.#phase = "lost";
    // An upstream that is not there cannot be told goodbye.
    this.#control = undefined;
    this.#listening?.stop();
    this.#eraWatch?.stop();
    this.#deps.events.onLost(error);
  }
}
