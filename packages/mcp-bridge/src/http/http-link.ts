import { GatewayError, messageOf, type ConnectorTimeouts } from "@cortex-os/mcp-core";
import type { Era, JsonObject, LogLevel, ServerFeature } from "@cortex-os/mcp-core/wire";
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
import { RequestedResources } from "../listening/requested-resources.js";
import {
  noSubscriptions,
  offersSubscriptions,
  type ResourceSubscriptions,
} from "../listening/resource-subscriptions.js";
import { clientExchange } from "./client-exchange.js";
import { EraWatch } from "./era-watch.js";
import { closedFailure, connectorName, protocolFailure } from "./failures.js";
import type { Handshake } from "./handshake.js";
import type { HttpUpstream } from "./http-upstream.js";
import { LegacySession } from "./legacy-session.js";
import { LinkExchanges } from "./link-exchanges.js";
import { changesOf } from "./list-changes.js";
import type { Listening } from "./listening.js";
import { OwnRequests } from "./own-requests.js";
import type { SessionBook } from "./session-book.js";

/** A remembered verdict older than this is found out anew: an upstream may have become modern. */
const PRIOR_MAX_AGE_MS = 24 * 60 * 60 * 1_000;
/** Longest answer to a request that brings nothing but an agreement, in bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

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
  readonly #exchanges: LinkExchanges;
  readonly #own: OwnRequests;
  #resources: ResourceSubscriptions;
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
    this.#resources = noSubscriptions(connectorName(this.#key));
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
    this.#own = new OwnRequests({
      upstream: deps.upstream,
      exchanges: this.#exchanges,
      timeouts: this.#timeouts,
      clientInfo: deps.clientInfo ?? GATEWAY_INFO,
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
    this.#resources = this.#resourcesOf(facts);
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
      const { sessions, upstream } = this.#deps;
      const deps = { upstream, sessions, exchanges: this.#exchanges, timeouts: this.#timeouts };
      const exchange = clientExchange({ ...deps, facts, control: this.#control }, call, sink);
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
    return this.#own.ask(facts, this.#control, method, params, options);
  }

  subscribe(uri: string): Promise<void> {
    return this.#resources.subscribe(uri);
  }

  unsubscribe(uri: string): Promise<void> {
    return this.#resources.unsubscribe(uri);
  }

  setLogLevel(level: LogLevel): void {
    const facts = this.#facts;
    if (facts?.era !== "legacy" || facts.capabilities["logging"] === undefined) return;
    this.#ask("logging/setLevel", { level }).catch((error: unknown) => {
      this.#deps.logger.debug(
        { connectorId: this.#key, reason: messageOf(error) },
        "The upstream did not take a log level",
      );
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

  #resourcesOf({ era, capabilities }: UpstreamFacts): ResourceSubscriptions {
    if (era === "modern" || !offersSubscriptions(capabilities)) return noSubscriptions(connectorName(this.#key));
    const ask = (method: string, params: JsonObject) => this.#ask(method, params);
    return new RequestedResources({ key: this.#key, logger: this.#deps.logger, ask });
  }

  #ask(method: string, params: JsonObject): Promise<JsonObject> {
    return this.request(method, params, { timeoutMs: this.#timeouts.listMs, maxBytes: MAX_ANSWER_BYTES });
  }

  #listen(facts: UpstreamFacts): void {
    this.#listening = changesOf({
      ...this.#deps,
      facts,
      control: this.#control,
      params: this.#own.params(facts, { notifications: { toolsListChanged: true } }),
      onListChanged: () => this.#listChanged("tools"),
      onNotification: (notification) => this.#deps.events.onNotification(notification),
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
