import { GatewayError, messageOf, type ConnectorTimeouts } from "@cortex-os/mcp-core";
import type { Era, JsonObject, JsonRpcNotification, LogLevel, ServerFeature } from "@cortex-os/mcp-core/wire";
import type { ByteBudget } from "../byte-budget.js";
import {
  GATEWAY_INFO,
  type CloseOptions,
  type Link,
  type LinkDeps,
  type OwnRequestOptions,
  type UpstreamFacts,
} from "../link.js";
import { ANSWERED, type AnswerSink, type Exchange, type UpstreamCall } from "../runtime/exchange.js";
import { claimedFeatures, declaredFeatures, hearsAll } from "../listening/feature-changes.js";
import type { Listening } from "../listening/listening.js";
import { RequestedResources } from "../listening/requested-resources.js";
import {
  noSubscriptions,
  resourceUpdated,
  offersSubscriptions,
  type ResourceSubscriptions,
} from "../listening/resource-subscriptions.js";
import { clientExchange, type ClientExchangeDeps } from "./client-exchange.js";
import { EraWatch } from "./era-watch.js";
import { closedFailure, connectorName, protocolFailure } from "./failures.js";
import type { Handshake } from "./handshake.js";
import type { HttpUpstream } from "./http-upstream.js";
import { LegacySession, type SessionFacts } from "./legacy-session.js";
import { LinkExchanges } from "./link-exchanges.js";
import { listeningTo } from "./listening-to.js";
import { OwnRequests } from "./own-requests.js";
import type { SessionBook } from "./session-book.js";
import type { LevelWish } from "./session-levels.js";
import { SessionStreams } from "./session-streams.js";
import { isFresh } from "./verdict-age.js";

/** How long a call waits until its session has taken a log level, in milliseconds. */
const LEVEL_MS = 2_000;
/** Longest answer to a request that brings nothing but an agreement, in bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

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
  readonly #route: ClientExchangeDeps;
  readonly #sessionStreams: SessionStreams;
  #resources: ResourceSubscriptions;
  /** The same of a legacy upstream, which forgets them with the session. */
  #requested: RequestedResources | undefined;
  #facts: UpstreamFacts | undefined;
  /** The gateway's own session with a legacy upstream. */
  #control: LegacySession | undefined;
  #listening: Listening | undefined;
  #eraWatch: EraWatch | undefined;
  #logLevel: LogLevel | undefined;
  #phase: "live" | "lost" | "closed" = "live";

  constructor(deps: HttpLinkDeps) {
    this.#deps = deps;
    this.#key = deps.spec.key;
    this.#timeouts = deps.spec.timeouts;
    this.#resources = noSubscriptions(connectorName(this.#key));
    this.#exchanges = new LinkExchanges(deps.upstream, deps, this.#timeouts.callMaxMs, {
      onListChanged: (feature) => this.#listChanged(feature),
      onTold: (notification) => this.#told(notification),
      onUnreachable: (error) => this.#lost(error),
      onRefused: () => this.#eraWatch?.doubt(),
      onSessionLost: (session) => this.#onSessionLost(session),
      onNoteFailed: (error) => this.#noteFailed("A notification did not reach the upstream", error),
      wishLogs: (session, wish) => this.#wishLogs(session, wish),
      whenHeard: (session, then) => this.#sessionStreams.before(session, then),
      askSession: (sessionKey, question) =>
        this.#phase === "live" ? deps.events.onQuestion(sessionKey, question) : undefined,
    });
    const { sessions, upstream } = deps;
    this.#route = { upstream, sessions, exchanges: this.#exchanges, timeouts: this.#timeouts };
    this.#sessionStreams = new SessionStreams({
      ...deps,
      openMs: LEVEL_MS,
      questions: this.#exchanges.questions,
      onNotification: (notification, sessionKey) => this.#told(notification, sessionKey),
      onGone: (error) => this.#lost(error),
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
    const known = prior?.era === "legacy" && prior.transport === undefined && isFresh(prior, clock);
    const greeting = await handshake.greet(known, signal);
    const { era, revision, capabilities, serverInfo, instructions, others } = greeting;
    const facts: UpstreamFacts = {
      era,
      revision,
      capabilities,
      ...(serverInfo === undefined ? {} : { serverInfo }),
      ...(instructions === undefined ? {} : { instructions }),
      ...(others === undefined ? {} : { others }),
      detectedAt: known && era === "legacy" ? prior.detectedAt : new Date(clock.now()).toISOString(),
    };
    this.#facts = facts;
    if (greeting.era === "legacy") this.#control = this.#controlIn(greeting.session);
    const { monotonic } = this.#deps;
    const onChanged = (now: Era) =>
      this.#lost(protocolFailure(this.#key, `is not the server it was: it is ${now} now`));
    this.#eraWatch = new EraWatch({ handshake, monotonic, era, onChanged });
    if (this.#phase === "live") this.#listen(facts);
    else void this.#control?.close();
    this.#wishLevel();
    return facts;
  }

  send(call: UpstreamCall, sink: AnswerSink): Exchange {
    const facts = this.#facts;
    if (facts === undefined || this.#phase !== "live") {
      sink.fail(closedFailure(this.#key));
      return ANSWERED;
    }
    try {
      const exchange = clientExchange(this.#route, facts, this.#control, call, sink);
      this.#exchanges.start(exchange);
      return exchange;
    } catch (error) {
      sink.fail(GatewayError.from(error, "INTERNAL", `${call.method} cannot be sent`));
      return ANSWERED;
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
    this.#logLevel = level;
    this.#wishLevel();
  }

  get hearsChanges(): boolean {
    const listening = this.#listening;
    const { capabilities = {} } = this.#facts ?? {};
    return listening !== undefined && hearsAll(capabilities, (feature) => listening.hears(feature));
  }

  tellOfClient(sessionKey: string, notification: JsonRpcNotification): void {
    const session = this.#deps.sessions.find(sessionKey);
    if (session !== undefined && this.#phase === "live") this.#exchanges.tell(session, notification);
  }

  endSession(sessionKey: string): void {
    this.#sessionStreams.end(sessionKey, closedFailure(this.#key));
    this.#deps.sessions.end(sessionKey);
  }

  async close({ drain = false, error = closedFailure(this.#key) }: CloseOptions = {}): Promise<void> {
    this.#phase = "closed";
    this.#listening?.stop(error);
    this.#sessionStreams.endAll(error);
    this.#eraWatch?.stop();
    if (drain) await this.#exchanges.drained();
    else this.#exchanges.failAll(error);
    this.#exchanges.questions.endAll(error);
    await this.#control?.close();
  }

  #controlIn(session: SessionFacts): LegacySession {
    const { handshake } = this.#deps;
    const ports = {
      open: () => handshake.openSession({ revision: session.revision }),
      end: (ended: SessionFacts) => handshake.endSession(ended),
      closedError: () => closedFailure(this.#key),
      opened: () => {
        this.#wishLevel();
        this.#requested?.renew();
      },
    };
    return new LegacySession(ports, { facts: session });
  }

  /** The upstream has forgotten a session. Whoever listens learns of a restart by the broken stream, unless the stream was another session's. */
  #onSessionLost(session: LegacySession): void {
    const isControl = session === this.#control;
    if (isControl || this.#listening === undefined) this.#onMissed(declaredFeatures(this.#facts?.capabilities ?? {}));
    if (isControl) this.#listening?.restart();
    else this.#sessionStreams.restart(session);
  }

  #wishLevel(): void {
    if (this.#control?.facts === undefined || this.#logLevel === undefined || this.#phase !== "live") return;
    this.#exchanges.wish(this.#control, { level: this.#logLevel, isShared: false }, () => {});
  }

  async #wishLogs(session: LegacySession, { level, sessionKey }: LevelWish): Promise<void> {
    const facts = this.#facts;
    if (facts === undefined || this.#phase !== "live") return;
    const bounds = { timeoutMs: LEVEL_MS, maxBytes: MAX_ANSWER_BYTES };
    const telling = this.#own.ask(facts, session, "logging/setLevel", { level }, bounds);
    const opening = sessionKey === undefined ? undefined : this.#sessionStreams.open(session, sessionKey);
    const told = telling.catch((error: unknown) => this.#noteFailed("The upstream did not take a log level", error));
    await Promise.all([told, opening]);
  }

  #noteFailed(what: string, error: unknown): void {
    this.#deps.logger.debug({ connectorId: this.#key, reason: messageOf(error) }, what);
  }

  #listen(facts: UpstreamFacts): void {
    const { capabilities } = facts;
    this.#listening = listeningTo({
      ...this.#deps,
      facts,
      control: this.#control,
      subscribeMs: this.#timeouts.listMs,
      params: (params) => this.#own.params(facts, params),
      onListChanged: (feature) => this.#listChanged(feature),
      onNotification: (notification) => this.#told(notification),
      onMissed: () => this.#onMissed(claimedFeatures(capabilities)),
      questions: this.#exchanges.questions,
      onGone: (error) => this.#lost(error),
    });
    if (offersSubscriptions(capabilities)) this.#resources = this.#resourcesOf(facts);
    this.#listening?.start();
  }

  #resourcesOf({ era }: UpstreamFacts): ResourceSubscriptions {
    if (era === "modern" && this.#listening !== undefined) return this.#listening;
    const bounds = { timeoutMs: this.#timeouts.listMs, maxBytes: MAX_ANSWER_BYTES };
    const ask = (method: string, params: JsonObject) => this.request(method, params, bounds);
    this.#requested = new RequestedResources({ key: this.#key, logger: this.#deps.logger, ask });
    return this.#requested;
  }

  /** Nobody said what changed meanwhile: everything may have. */
  #onMissed(features: readonly ServerFeature[]): void {
    for (const feature of features) this.#listChanged(feature);
    for (const uri of this.#resources.uris) this.#told(resourceUpdated(uri));
  }

  #told(notification: JsonRpcNotification, sessionKey?: string): void {
    if (this.#phase === "live") this.#deps.events.onNotification(notification, sessionKey);
  }

  #listChanged(feature: ServerFeature): void {
    if (this.#phase === "live") this.#deps.events.onListChanged(feature);
  }

  #lost(error: GatewayError): void {
    if (this.#phase !== "live") return;
    this.#phase = "lost";
    // An upstream that is not there cannot be told goodbye.
    this.#control = undefined;
    this.#listening?.stop(error);
    this.#sessionStreams.endAll(error);
    this.#eraWatch?.stop();
    this.#deps.events.onLost(error);
  }
}
