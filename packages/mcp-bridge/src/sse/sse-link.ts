import { GatewayError } from "@cortex-os/mcp-core";
import { LATEST_LEGACY, type JsonObject, type JsonRpcNotification, type LogLevel } from "@cortex-os/mcp-core/wire";
import { ClientCall } from "../channel/client-call.js";
import { InFlight } from "../channel/in-flight.js";
import { Lane } from "../channel/lane.js";
import { ownRequest } from "../channel/own-request.js";
import { SharedVoice } from "../channel/shared-voice.js";
import { tellOf } from "../channel/tell-of.js";
import { closedFailure } from "../http/failures.js";
import type { CloseOptions, Link, LinkDeps, OwnRequestOptions, UpstreamFacts } from "../link.js";
import type { AnswerSink, Exchange, UpstreamCall } from "../runtime/exchange.js";
import { openSsePeer, type SseOpening } from "./open-sse-peer.js";
import type { SseSessions } from "./sse-sessions.js";

/** Longest answer to a request that brings nothing but an agreement, in bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** What an {@link SseLink} works through. */
export interface SseLinkDeps extends LinkDeps {
  /** What is remembered of this server, if that still counts: its date is kept. */
  readonly remembered?: UpstreamFacts;
  /** How to connect; outlives the link. */
  readonly opening: SseOpening;
  /** The connections of clients; outlive the link. */
  readonly sessions: SseSessions;
}

type State =
  | { readonly kind: "new" }
  | { readonly kind: "open"; readonly control: Lane; readonly voice: SharedVoice }
  | { readonly kind: "over"; readonly error: GatewayError };

/**
 * {@link Link} over HTTP+SSE, the transport of 2024-11-05 that servers of every legacy revision still speak.
 *
 * This folder is about one thing: a server that says everything on one long event stream, and is told everything by POST. It is a pair of channels like a child's
 * stdin and stdout, so that ids, progress and deadlines are those of `channel/`, and the sockets are those of `http/`.
 *
 * The gateway has a connection of its own, which the link is lost with; clients have theirs ({@link SseSessions}).
 */
export class SseLink implements Link {
  readonly #deps: SseLinkDeps;
  readonly #key: string;
  readonly #calls = new InFlight<ClientCall>();
  readonly #own = new InFlight<Promise<JsonObject>>();
  #state: State = { kind: "new" };
  #control: Lane | undefined;
  #logLevel: LogLevel | undefined;

  constructor(deps: SseLinkDeps) {
    this.#deps = deps;
    this.#key = deps.spec.key;
  }

  async open(signal: AbortSignal): Promise<UpstreamFacts> {
    const { events, logger, opening, remembered, sessions, timers } = this.#deps;
    const { callMs, callMaxMs, listMs } = opening.timeouts;
    const onUnreachable = (error: GatewayError): void => this.#lost(error);
    const greeting = { isOwn: true, revision: LATEST_LEGACY, onUnreachable };
    const control = new Lane({
      logger,
      timers,
      open: (heard, bounded) => openSsePeer(opening, greeting, heard, bounded),
      callBounds: { idleMs: callMs, maxMs: callMaxMs },
      levelMs: listMs,
      owner: { kind: "all" },
      askSession: () => undefined,
      onNotification: (notification) => {
        if (this.#state.kind === "open") this.#state.voice.take(notification);
      },
      onEnded: (error) => this.#lost(error),
    });
    this.#control = control;
    const facts = await control.open(signal);
    const { serving } = control;
    // Closed between the server's last word and now.
    if (this.#isOver() || serving === undefined) throw this.#overError();
    const { clientInfo } = opening;
    const ask = (method: string, params: JsonObject) => this.#ask(method, params);
    const voice = new SharedVoice(serving, { link: this.#deps, clientInfo, ask });
    this.#state = { kind: "open", control, voice };
    sessions.follower = {
      onNotification: (notification, sessionKey) => {
        if (this.#state.kind === "open") tellOf(notification, "legacy", events, sessionKey);
      },
      onQuestion: (sessionKey, question) =>
        this.#state.kind === "open" ? events.onQuestion(sessionKey, question) : undefined,
      onUnreachable,
    };
    if (this.#logLevel !== undefined) control.setLogLevel(this.#logLevel);
    return remembered === undefined ? facts : { ...facts, detectedAt: remembered.detectedAt };
  }

  send(call: UpstreamCall, sink: AnswerSink): Exchange {
    const exchange = new ClientCall(call, sink, (settled, error) => {
      settled.lane?.forget(settled, error);
      this.#calls.delete(settled);
    });
    this.#calls.add(exchange);
    try {
      if (this.#state.kind !== "open") throw this.#overError();
      const lane = this.#deps.sessions.of(call.caller);
      exchange.lane = lane;
      lane.send(exchange);
    } catch (error) {
      exchange.onFailure(GatewayError.from(error, "INTERNAL", `${call.method} cannot be sent`));
    }
    return exchange;
  }

  async request(method: string, params: JsonObject, options: OwnRequestOptions): Promise<JsonObject> {
    const serving = this.#state.kind === "open" ? this.#state.control.serving : undefined;
    if (serving === undefined) throw this.#overError();
    const { maxBytes, signal, timeoutMs: maxMs } = options;
    const bounds = { maxMs, maxBytes, ...(signal === undefined ? {} : { signal }) };
    return this.#own.during(ownRequest(serving.peer.channel, method, params, bounds));
  }

  async subscribe(uri: string): Promise<void> {
    if (this.#state.kind !== "open") throw this.#overError();
    await this.#state.voice.resources.subscribe(uri);
  }

  async unsubscribe(uri: string): Promise<void> {
    if (this.#state.kind === "open") await this.#state.voice.resources.unsubscribe(uri);
  }

  setLogLevel(level: LogLevel): void {
    this.#logLevel = level;
    if (this.#state.kind === "open") this.#state.control.setLogLevel(level);
  }

  get hearsChanges(): boolean {
    return this.#state.kind === "open" && this.#state.voice.hearsChanges;
  }

  tellOfClient(sessionKey: string, notification: JsonRpcNotification): void {
    this.#deps.sessions.find(sessionKey)?.tell(notification);
  }

  endSession(sessionKey: string): void {
    this.#deps.sessions.end(sessionKey);
  }

  async close({ drain = false, error = closedFailure(this.#key) }: CloseOptions = {}): Promise<void> {
    this.#over(error);
    if (drain) await Promise.all([this.#calls.drained(), this.#own.drained()]);
    else for (const call of this.#calls.all) call.abandon(error);
    await this.#control?.end(error);
  }

  #ask(method: string, params: JsonObject): Promise<JsonObject> {
    const { listMs } = this.#deps.opening.timeouts;
    return this.request(method, params, { timeoutMs: listMs, maxBytes: MAX_ANSWER_BYTES });
  }

  #lost(error: GatewayError): void {
    const wasOpen = this.#state.kind === "open";
    this.#over(error);
    if (wasOpen) this.#deps.events.onLost(error);
  }

  #over(error: GatewayError): void {
    if (this.#state.kind !== "over") this.#state = { kind: "over", error };
  }

  #isOver(): boolean {
    return this.#state.kind === "over";
  }

  #overError(): GatewayError {
    return this.#state.kind === "over" ? this.#state.error : closedFailure(this.#key);
  }
}
