import { Roster, type GatewayError, type Monotonic, type Timers } from "@cortex-os/mcp-core";
import type {
  JsonObject,
  JsonRpcNotification,
  JsonRpcRequest,
  JsonRpcResponse,
  ServerFeature,
} from "@cortex-os/mcp-core/wire";
import type { AskedQuestion, UpstreamQuestion } from "../asking/question.js";
import type { ByteBudget } from "../byte-budget.js";
import { DeadlineWatch } from "./deadline.js";
import type { ExchangeHost, PreparedRequest } from "./exchange-host.js";
import { timeoutFailure, UnauthorizedError, UnreachableError } from "./failures.js";
import { httpReply } from "./http-reply.js";
import type { HttpUpstream } from "./http-upstream.js";
import type { LegacySession } from "./legacy-session.js";
import { LinkQuestions } from "./link-questions.js";
import { missesHeader } from "./refusal.js";
import { legacyHeaders, POST_HEADERS, STREAM_HEADERS } from "./request-headers.js";
import type { ResponseReader } from "./response-reader.js";
import { SessionLevels, type LevelWish } from "./session-levels.js";
import { withinTime } from "./time-limit.js";
import type { UpstreamExchange } from "./upstream-exchange.js";

/** How long a message without an answer may take to be accepted, in milliseconds. */
const NOTE_MS = 5_000;
const NOTE_BYTES = 64 * 1024;
/** Most of them under way: an upstream that asks, pings among it, and takes no answers must not have them piled up here. */
const MAX_NOTES = 1_000;

/** What the exchanges of a link report to it. */
export interface ExchangeEvents {
  onListChanged(feature: ServerFeature): void;
  /** The upstream told something that is for everybody. */
  onTold(notification: JsonRpcNotification): void;
  onUnreachable(error: GatewayError): void;
  onRefused(): void;
  /** The upstream had forgotten a session. */
  onSessionLost(session: LegacySession): void;
  /** A message that needs no answer could not be delivered. */
  onNoteFailed(error: unknown): void;
  /** Has a session, which is open, send the log messages that are wished. */
  wishLogs(session: LegacySession, wish: LevelWish): Promise<unknown>;
  /** Calls `then` when whatever the upstream asks in a session, which is open, would be heard: at once, if it is nothing. */
  whenHeard(session: LegacySession, then: () => void): void;
  /** Puts a question to a client outside of its requests; see `LinkEvents`. */
  askSession(sessionKey: string, question: UpstreamQuestion): AskedQuestion | undefined;
}

/** The requests under way on one link: starts them, keeps account of them, and lends them what they need. */
export class LinkExchanges implements ExchangeHost {
  readonly key: string;
  readonly ports: { readonly timers: Timers; readonly monotonic: Monotonic };
  readonly budget: ByteBudget;
  readonly #upstream: HttpUpstream;
  readonly #events: ExchangeEvents;
  readonly #levels: SessionLevels;
  /** What the upstream asks back. */
  readonly questions: LinkQuestions;
  readonly #active = new Roster<UpstreamExchange>();
  readonly #deadlines: DeadlineWatch;
  readonly #notes = new AbortController();
  #notesUnderWay = 0;
  #onEmpty: (() => void)[] = [];

  constructor(
    upstream: HttpUpstream,
    ports: { readonly timers: Timers; readonly monotonic: Monotonic; readonly budget: ByteBudget },
    callMaxMs: number,
    events: ExchangeEvents,
  ) {
    this.key = upstream.key;
    this.budget = ports.budget;
    this.ports = ports;
    this.#upstream = upstream;
    this.#events = events;
    this.#deadlines = new DeadlineWatch(ports, () => this.#active.all());
    this.#levels = new SessionLevels(async (session, wish) => events.wishLogs(session, wish));
    this.questions = new LinkQuestions({
      timers: ports.timers,
      maxMs: callMaxMs,
      note: (session, message) => this.#note(session, message),
      inSession: (session) => this.#active.all().filter(({ request }) => request.session === session),
      askSession: (sessionKey, question) => events.askSession(sessionKey, question),
    });
  }

  get active(): number {
    return this.#active.size;
  }

  /** Sends it, once its session is open. */
  start(exchange: UpstreamExchange): void {
    const { session } = exchange.request;
    if (session === undefined) {
      exchange.dispatch(undefined);
      return;
    }
    const { facts } = session;
    if (facts !== undefined && exchange.request.logs === undefined && !session.isAskable) {
      // Nothing to wait for.
      exchange.dispatch(facts.id);
      return;
    }
    session.whenOpen((error) => {
      if (error === undefined) {
        const send = (): void => this.wish(session, exchange.request.logs, () => exchange.dispatch(session.facts?.id));
        if (session.isAskable) this.#events.whenHeard(session, send);
        else send();
      } else {
        exchange.fail(error);
        if (error.code === "UPSTREAM_PROTOCOL") this.refused();
        if (error instanceof UnreachableError || error instanceof UnauthorizedError) this.unreachable(error);
      }
    });
  }

  /** Tells an open session what is wished about log messages, if it was not told already, and goes on then. */
  wish(session: LegacySession, logs: LevelWish | undefined, then: () => void): void {
    this.#levels.before(session, logs, then);
  }

  post(request: PreparedRequest, reader: ResponseReader): void {
    const facts = request.session?.facts;
    const headers = facts === undefined ? request.headers : [...request.headers, ...legacyHeaders(facts)];
    this.#upstream.dispatch({ method: "POST", headers, body: request.body, lane: request.lane }, reader);
  }

  resume(
    request: PreparedRequest,
    sessionId: string | undefined,
    lastEventId: string,
    reader: ResponseReader,
  ): boolean {
    const facts = request.session?.facts;
    if (facts === undefined || facts.id !== sessionId) return false;
    // A header's characters are bytes.
    const id = Buffer.from(lastEventId, "utf8").toString("latin1");
    const headers = [...STREAM_HEADERS, ...legacyHeaders(facts), "last-event-id", id];
    this.#upstream.dispatch({ method: "GET", headers, lane: request.lane }, reader);
    return true;
  }

  begun(exchange: UpstreamExchange): void {
    this.#active.add(exchange);
    this.#deadlines.begun(exchange);
    const { session } = exchange.request;
    if (session !== undefined) session.inFlight += 1;
  }

  ended(exchange: UpstreamExchange): void {
    if (!this.#active.delete(exchange)) return;
    const { session } = exchange.request;
    if (session !== undefined) session.inFlight -= 1;
    if (this.#active.size > 0) return;
    this.#deadlines.stop();
    for (const done of this.#onEmpty) done();
    this.#onEmpty = [];
  }

  cancelled(request: PreparedRequest, reason: string | undefined): void {
    const params: JsonObject = { requestId: request.id, ...(reason === undefined ? {} : { reason }) };
    // A modern upstream sees the connection close, which is the cancellation itself.
    if (request.session !== undefined) {
      this.#note(request.session, { jsonrpc: "2.0", method: "notifications/cancelled", params });
    }
  }

  asked(exchange: UpstreamExchange, request: JsonRpcRequest, bytes: number): void {
    this.questions.onAnswer(exchange, request, bytes);
  }

  withdrawn({ session }: PreparedRequest, params: JsonObject | undefined): void {
    this.questions.withdrawn(session, params);
  }

  settled(exchange: UpstreamExchange): void {
    this.questions.settled(exchange);
  }

  /** Tells the upstream something in a session of a client. */
  tell(session: LegacySession, notification: JsonRpcNotification): void {
    this.#note(session, notification);
  }

  sessionLost(exchange: UpstreamExchange, sessionId: string): void {
    const { session } = exchange.request;
    if (session?.lost(sessionId) === true) {
      this.questions.lost(session);
      this.#events.onSessionLost(session);
    }
    this.start(exchange);
  }

  refused(): void {
    this.#events.onRefused();
  }

  unreachable(error: GatewayError): void {
    this.#events.onUnreachable(error);
  }

  answered({ method, session }: PreparedRequest, response: JsonRpcResponse): void {
    if (missesHeader(response) && session === undefined && method === "tools/call") this.listChanged("tools");
  }

  listChanged(feature: ServerFeature): void {
    this.#events.onListChanged(feature);
  }

  told(notification: JsonRpcNotification): void {
    this.#events.onTold(notification);
  }

  /** Resolves when nothing is under way. */
  drained(): Promise<void> {
    if (this.#active.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty.push(resolve);
    });
  }

  /** Ends everything under way with this error. */
  failAll(error: GatewayError): void {
    for (const exchange of this.#active.all()) exchange.fail(error);
    this.questions.endAll(error);
    this.#notes.abort(error);
  }

  /** Sends a message that has no answer; failing is logged, no more. */
  #note(session: LegacySession, message: object): void {
    const { facts } = session;
    if (facts === undefined || this.#notes.signal.aborted || this.#notesUnderWay >= MAX_NOTES) return;
    this.#notesUnderWay += 1;
    const headers = [...POST_HEADERS, ...legacyHeaders(facts)];
    const body = JSON.stringify(message);
    withinTime(
      this.ports.timers,
      NOTE_MS,
      () => timeoutFailure(this.key, NOTE_MS),
      [this.#notes.signal],
      (signal) =>
        httpReply(this.#upstream, { method: "POST", headers, body, lane: "control" }, { signal, maxBytes: NOTE_BYTES }),
    )
      .catch((error: unknown) => this.#events.onNoteFailed(error))
      .finally(() => (this.#notesUnderWay -= 1));
  }
}
