import { GatewayError, type GatewayErrorCode, type Isolation } from "@cortex-os/mcp-core";
import {
  withMeta,
  type JsonObject,
  type JsonRpcErrorObject,
  type JsonRpcNotification,
  type LogLevel,
} from "@cortex-os/mcp-core/wire";
import { SHARED_CAPABILITIES } from "../asking/client-capabilities.js";
import { ClientCall } from "../channel/client-call.js";
import { connectorFailure } from "../channel/connector-failure.js";
import { InFlight } from "../channel/in-flight.js";
import type { Lane } from "../channel/lane.js";
import { modernMeta } from "../modern-meta.js";
import { ownRequest } from "../channel/own-request.js";
import { SharedVoice } from "../channel/shared-voice.js";
import {
  GATEWAY_INFO,
  type CloseOptions,
  type Link,
  type LinkDeps,
  type OwnRequestOptions,
  type UpstreamFacts,
} from "../link.js";
import type { AnswerSink, Caller, Exchange, UpstreamCall } from "../runtime/exchange.js";
import { IdleWatch } from "./idle-watch.js";
import { IsolatedLanes } from "./isolated-lanes.js";
import { newLane } from "./new-lane.js";
import type { StdioLinkOptions } from "./stdio-link-options.js";

/** Longest answer to a request that brings nothing but an agreement, in bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

type State =
  | { readonly kind: "new" }
  | {
      readonly kind: "open";
      readonly facts: UpstreamFacts;
      readonly control: Lane;
      readonly voice: SharedVoice;
    }
  | { readonly kind: "over"; readonly error: GatewayError };

/**
 * One connector over stdio: a supervised child that all callers share or, as its `isolation` says, one more for each principal or
 * session, started on first use. The shared one also answers the gateway's own requests, and the link is lost with it.
 */
export class StdioLink implements Link {
  readonly #deps: LinkDeps;
  readonly #options: StdioLinkOptions;
  readonly #isolation: { current: Isolation };
  readonly #isolated: IsolatedLanes;
  /** What `close` waits for when it drains: calls of clients, and requests of the gateway's own. */
  readonly #inFlight = new InFlight<object>();
  readonly #idle: IdleWatch;
  #state: State = { kind: "new" };
  #control: Lane | undefined;
  #logLevel: LogLevel | undefined;

  constructor(deps: LinkDeps, options: StdioLinkOptions = {}) {
    this.#deps = deps;
    this.#options = options;
    this.#isolation = options.isolation ?? { current: deps.spec.isolation };
    this.#isolated = new IsolatedLanes(deps, options, this.#isolation, () => this.#isolate());
    this.#idle = new IdleWatch({
      timers: deps.timers,
      idleMs: options.idleMs ?? 0,
      isBusy: () => this.#isBusy,
      onIdle: () => deps.events.onIdle(),
    });
  }

  async open(signal: AbortSignal): Promise<UpstreamFacts> {
    if (this.#state.kind === "over") throw this.#state.error;
    if (this.#control !== undefined) throw this.#failure("INTERNAL", "a link is opened only once");
    const control = newLane(this.#deps, this.#options, {
      owner: { kind: "all" },
      prior: this.#deps.prior,
      // When clients have processes of their own, nobody is asked by this one.
      capabilities: this.#isolation.current === "shared" ? SHARED_CAPABILITIES : {},
      onEnded: (error) => this.#onLost(error),
      onAmbiguous: () => this.#isolate(),
      onNotification: (notification, sessionKey) => {
        if (this.#state.kind === "open") this.#state.voice.take(notification, sessionKey);
      },
    });
    this.#control = control;
    const facts = await control.open(signal);
    const { serving } = control;
    // Lost or closed between its last word and now.
    if (this.#isOver() || serving === undefined) throw this.#overError();
    const ask = (method: string, params: JsonObject) => this.#ask(method, params);
    const voice = new SharedVoice(serving, { link: this.#deps, clientInfo: this.#clientInfo, ask });
    this.#state = { kind: "open", facts, control, voice };
    voice.start();
    this.#idle.start();
    if (this.#logLevel !== undefined) control.setLogLevel(this.#logLevel);
    return facts;
  }

  send(call: UpstreamCall, sink: AnswerSink): Exchange {
    const exchange = new ClientCall(call, sink, this.#onSettled);
    this.#inFlight.add(exchange);
    this.#idle.used();
    const lane = this.#laneFor(call.caller);
    if (GatewayError.is(lane)) {
      exchange.onFailure(lane);
    } else {
      exchange.lane = lane;
      lane.send(exchange);
    }
    return exchange;
  }

  async request(method: string, params: JsonObject, options: OwnRequestOptions): Promise<JsonObject> {
    const serving = this.#state.kind === "open" ? this.#state.control.serving : undefined;
    if (serving === undefined) throw this.#overError();
    // The gateway's own lists keep nothing awake: it makes them because the child is.
    if (method === "tools/call") this.#idle.used();
    const { peer, facts } = serving;
    const { timeoutMs, ...bounds } = options;
    const sent = facts.era === "modern" ? withMeta(params, modernMeta(facts.revision, this.#clientInfo)) : params;
    return this.#inFlight.during(ownRequest(peer.channel, method, sent, { maxMs: timeoutMs, ...bounds }));
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
    this.#isolated.find(sessionKey)?.tell(notification);
  }

  endSession(sessionKey: string): void {
    this.#isolated.endSession(sessionKey);
  }

  async close(options: CloseOptions = {}): Promise<void> {
    const { drain = false, error = this.#failure("UPSTREAM_UNAVAILABLE", "it is being closed") } = options;
    this.#over(error);
    if (drain) await this.#inFlight.drained();
    await this.#endLanes(error);
  }

  /** From now on, each client session has a process of its own (design.md, decision 6). */
  #isolate(): void {
    if (this.#isolation.current === "session") return;
    this.#isolation.current = "session";
    const { events, logger, spec } = this.#deps;
    const what =
      "Connector asked what several clients could have been meant by; each client session has a process of its own now";
    logger.warn({ connectorId: spec.key }, what);
    events.onIsolated();
  }

  /** Whether closing it would take something from somebody. */
  get #isBusy(): boolean {
    if (this.#state.kind !== "open") return false;
    const { control, voice } = this.#state;
    return this.#inFlight.size > 0 || control.isBusy || this.#isolated.isBusy || voice.resources.uris.length > 0;
  }

  get #clientInfo(): JsonObject {
    return this.#deps.clientInfo ?? GATEWAY_INFO;
  }

  readonly #onSettled = (call: ClientCall, error?: JsonRpcErrorObject): void => {
    call.lane?.forget(call, error);
    this.#inFlight.delete(call);
  };

  #laneFor(caller: Caller): Lane | GatewayError {
    if (this.#state.kind !== "open") return this.#overError();
    const { control, facts } = this.#state;
    return this.#isolated.of(caller, facts) ?? control;
  }

  #ask(method: string, params: JsonObject): Promise<JsonObject> {
    return this.request(method, params, { timeoutMs: this.#deps.spec.timeouts.listMs, maxBytes: MAX_ANSWER_BYTES });
  }

  #onLost(error: GatewayError): void {
    const wasOpen = this.#state.kind === "open";
    this.#over(error);
    void this.#endLanes(error);
    if (wasOpen) this.#deps.events.onLost(error);
  }

  #over(error: GatewayError): void {
    this.#idle.stop();
    if (this.#state.kind === "open") this.#state.voice.stop(error);
    if (this.#state.kind !== "over") this.#state = { kind: "over", error };
  }

  async #endLanes(error: GatewayError): Promise<void> {
    await Promise.all([this.#control?.end(error), this.#isolated.endAll(error)]);
  }

  #isOver(): boolean {
    return this.#state.kind === "over";
  }

  #overError(): GatewayError {
    return this.#state.kind === "over"
      ? this.#state.error
      : this.#failure("UPSTREAM_UNAVAILABLE", "it is not connected");
  }

  #failure(code: GatewayErrorCode, what: string): GatewayError {
    return connectorFailure(this.#deps.spec.key, code, what);
  }
}
