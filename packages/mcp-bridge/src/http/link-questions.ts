import { GatewayError, toJsonRpcError, type Timers } from "@cortex-os/mcp-core";
import type { JsonObject, JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import { refusalFor } from "../asking/client-capabilities.js";
import { OpenQuestions, type QuestionRoute } from "../asking/open-questions.js";
import type { AskedQuestion, UpstreamQuestion } from "../asking/question.js";
import { printable } from "../upstream-text.js";
import type { LegacySession } from "./legacy-session.js";
import type { UpstreamExchange } from "./upstream-exchange.js";

/** What {@link LinkQuestions} work through. */
export interface LinkQuestionsDeps {
  readonly timers: Timers;
  /** How long a client may take to answer, in milliseconds. */
  readonly maxMs: number;
  /** Sends a message that has no answer. */
  readonly note: (session: LegacySession, message: object) => void;
  /** The requests under way in a session. */
  readonly inSession: (session: LegacySession) => readonly UpstreamExchange[];
  /** Puts a question to a client outside of its requests; see `LinkEvents`. */
  readonly askSession: (sessionKey: string, question: UpstreamQuestion) => AskedQuestion | undefined;
}

/**
 * What a legacy upstream over Streamable HTTP asks back (2025-11-25, Transports): on the stream of a request, whose client is asked on the stream of its answer, or on
 * the GET stream of a client's session, whose client is asked on its own. A ping is for whoever holds the connection, and that is the gateway.
 */
export class LinkQuestions {
  readonly #deps: LinkQuestionsDeps;
  readonly #open = new Map<LegacySession, OpenQuestions>();

  constructor(deps: LinkQuestionsDeps) {
    this.#deps = deps;
  }

  /** One that came beside the answer to a request. A modern upstream sends none (2026-07-28, Streamable HTTP): it is not answered. */
  onAnswer(exchange: UpstreamExchange, request: JsonRpcRequest, bytes: number): void {
    const { caller, session } = exchange.request;
    if (session === undefined || this.#isPing(session, request)) return;
    const refusal = caller === undefined ? nobodyFor(request) : refusalFor(request, caller);
    if (refusal !== undefined) {
      this.#refuse(session, request, refusal);
      return;
    }
    const route: QuestionRoute = {
      ask: (question) => exchange.ask(question),
      owner: exchange,
      hold: () => exchange.deadline.hold(),
    };
    this.#relay(session, request, route, bytes);
  }

  /** One that came outside of any request. What is under way in the session may wait for it: many servers ask there in the middle of a call. */
  onStream(session: LegacySession, request: JsonRpcRequest): void {
    if (this.#isPing(session, request)) return;
    const { client } = session;
    const sessionKey = client?.sessionKey;
    const refusal = client === undefined ? nobodyFor(request) : refusalFor(request, client);
    if (refusal !== undefined || sessionKey === undefined) {
      this.#refuse(session, request, refusal ?? nobodyFor(request));
      return;
    }
    const hold = (): (() => void) => {
      const releases = this.#deps.inSession(session).map((exchange) => exchange.deadline.hold());
      return () => {
        for (const release of releases) release();
      };
    };
    this.#relay(session, request, { ask: (question) => this.#deps.askSession(sessionKey, question), hold });
  }

  /** The upstream needs an answer no more. */
  withdrawn(session: LegacySession | undefined, params: JsonObject | undefined): void {
    if (session !== undefined) this.#open.get(session)?.withdrawn(params);
  }

  /** A request was answered or given up, and with it what was asked because of it. */
  settled(exchange: UpstreamExchange): void {
    const { session } = exchange.request;
    if (this.#open.size === 0 || session === undefined) return;
    const error = new GatewayError("CANCELLED", "The request that this was asked for is over");
    this.#open.get(session)?.endOf(exchange, error);
  }

  /** The upstream has forgotten a session, and what it asked in it. */
  lost(session: LegacySession): void {
    this.#open.get(session)?.endAll(new GatewayError("UPSTREAM_UNAVAILABLE", "The session was lost"));
  }

  endAll(error: GatewayError): void {
    for (const questions of this.#open.values()) questions.endAll(error);
  }

  #isPing(session: LegacySession, { id, method }: JsonRpcRequest): boolean {
    if (method !== "ping") return false;
    this.#deps.note(session, { jsonrpc: "2.0", id, result: {} });
    return true;
  }

  #refuse(session: LegacySession, { id }: JsonRpcRequest, error: GatewayError): void {
    this.#deps.note(session, { jsonrpc: "2.0", id, error: toJsonRpcError(error) });
  }

  #relay(session: LegacySession, request: JsonRpcRequest, route: QuestionRoute, bytes?: number): void {
    const questions = this.#open.get(session) ?? this.#create(session);
    questions.relay(request, route, bytes);
    if (questions.size === 0) this.#open.delete(session);
  }

  #create(session: LegacySession): OpenQuestions {
    const { maxMs, note, timers } = this.#deps;
    const questions = new OpenQuestions({
      ...{ timers, maxMs },
      reply: (message) => note(session, message),
      onEmpty: () => void this.#open.delete(session),
    });
    this.#open.set(session, questions);
    return questions;
  }
}

/** In the gateway's own sessions and requests nothing was declared (2025-11-25, Lifecycle). */
const nobodyFor = ({ method }: JsonRpcRequest): GatewayError =>
  new GatewayError("METHOD_UNKNOWN", `There is no client here to be asked for ${printable(method, 100)}`);
