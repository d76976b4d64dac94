import { GatewayError, messageOf, type GatewayErrorCode } from "@cortex-os/mcp-core";
import {
  changedFeature,
  withMeta,
  type JsonObject,
  type JsonRpcNotification,
  type LogLevel,
} from "@cortex-os/mcp-core/wire";
import { connectorName } from "../http/failures.js";
import {
  GATEWAY_INFO,
  type CloseOptions,
  type Link,
  type LinkDeps,
  type OwnRequestOptions,
  type UpstreamFacts,
} from "../link.js";
import { isOfProtocol } from "../listening/notifications.js";
import { RequestedResources } from "../listening/requested-resources.js";
import {
  noSubscriptions,
  offersSubscriptions,
  type ResourceSubscriptions,
} from "../listening/resource-subscriptions.js";
import { claimsToolChanges } from "../tool-changes.js";
import { quoteUpstream } from "../upstream-text.js";
import type { AnswerSink, Caller, Exchange, UpstreamCall } from "../runtime/exchange.js";
import { ClientCall } from "./client-call.js";
import { modernMeta } from "./handshake.js";
import { Lane } from "./lane.js";
import { laneKey, sessionLane } from "./lane-key.js";
import type { OpenPeer } from "./open-peer.js";
import { openingDeps, type StdioLinkOptions } from "./stdio-link-options.js";
import { ToolsListening } from "./tools-listening.js";

/** Longest answer to a request that brings nothing but an agreement, in bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

type State =
  | { readonly kind: "new" }
  | {
      readonly kind: "open";
      readonly facts: UpstreamFacts;
      readonly control: Lane;
      readonly listening?: ToolsListening;
    }
  | { readonly kind: "over"; readonly error: GatewayError };

/**
 * One connector over stdio: a supervised child that all callers share or, as its `isolation` says, one more for each principal or
 * session, started on first use. The shared one also answers the gateway's own requests, and the link is lost with it.
 */
export class StdioLink implements Link {
  readonly #deps: LinkDeps;
  readonly #options: StdioLinkOptions;
  readonly #lanes = new Map<string, Lane>();
  /** What `close` waits for when it drains: calls of clients, and requests of the gateway's own. */
  readonly #inFlight = new Set<object>();
  /** `close` waits for them. */
  readonly #ending = new Set<Promise<void>>();
  #resources: ResourceSubscriptions;
  #state: State = { kind: "new" };
  #control: Lane | undefined;
  #whenIdle: (() => void)[] = [];

  constructor(deps: LinkDeps, options: StdioLinkOptions = {}) {
    this.#deps = deps;
    this.#options = options;
    this.#resources = noSubscriptions(connectorName(deps.spec.key));
  }

  async open(signal: AbortSignal): Promise<UpstreamFacts> {
    if (this.#state.kind === "over") throw this.#state.error;
    if (this.#control !== undefined) throw this.#failure("INTERNAL", "a link is opened only once");
    const { prior } = this.#deps;
    const control = this.#newLane({
      ...(prior === undefined ? {} : { prior }),
      onEnded: (error) => this.#onLost(error),
      onNotification: (said) => this.#onNotification(said),
    });
    this.#control = control;
    const facts = await control.open(signal);
    const { serving } = control;
    // Lost or closed between its last word and now.
    if (this.#isOver() || serving === undefined) throw this.#overError();
    this.#resources = this.#resourcesOf(facts);
    const listening = this.#listeningTo(serving);
    this.#state = { kind: "open", facts, control, ...(listening === undefined ? {} : { listening }) };
    listening?.start();
    return facts;
  }

  send(call: UpstreamCall, sink: AnswerSink): Exchange {
    let lane: Lane | undefined;
    const exchange = new ClientCall(call, sink, (settled) => {
      lane?.forget(settled);
      this.#onSettled(settled);
    });
    this.#inFlight.add(exchange);
    const chosen = this.#laneFor(call.caller);
    if (GatewayError.is(chosen)) {
      exchange.onFailure(chosen);
    } else {
      lane = chosen;
      lane.send(exchange);
    }
    return exchange;
  }

  async request(method: string, params: JsonObject, options: OwnRequestOptions): Promise<JsonObject> {
    const serving = this.#state.kind === "open" ? this.#state.control.serving : undefined;
    if (serving === undefined) throw this.#overError();
    const { peer, facts } = serving;
    const { timeoutMs, ...bounds } = options;
    const sent = facts.era === "modern" ? withMeta(params, modernMeta(facts.revision, this.#clientInfo)) : params;
    const asking = peer.ask(method, sent, { maxMs: timeoutMs, ...bounds });
    this.#inFlight.add(asking);
    const answer = await asking.finally(() => this.#onSettled(asking));
    if (!("error" in answer)) return answer.result;
    const { code, message } = answer.error;
    const said = `it answered ${method} with error ${code} ${quoteUpstream(message)}`;
    throw this.#failure("UPSTREAM_PROTOCOL", said, { upstreamCode: code });
  }

  subscribe(uri: string): Promise<void> {
    return this.#resources.subscribe(uri);
  }

  unsubscribe(uri: string): Promise<void> {
    return this.#resources.unsubscribe(uri);
  }

  setLogLevel(level: LogLevel): void {
    if (this.#state.kind !== "open") return;
    const { era, capabilities } = this.#state.facts;
    if (era === "modern" || capabilities["logging"] === undefined) return;
    const { logger, spec } = this.#deps;
    this.#ask("logging/setLevel", { level }).catch((error: unknown) => {
      logger.debug({ connectorId: spec.key, reason: messageOf(error) }, "The upstream did not take a log level");
    });
  }

  get hearsChanges(): boolean {
    if (this.#state.kind !== "open") return false;
    const { facts, listening } = this.#state;
    // A legacy server tells unasked: its word is all there is.
    return facts.era === "modern" ? listening?.hears === true : claimsToolChanges(facts.capabilities);
  }

  endSession(sessionKey: string): void {
    const key = sessionLane(sessionKey);
    const lane = this.#lanes.get(key);
    this.#lanes.delete(key);
    if (lane !== undefined) this.#endLane(lane, this.#failure("UPSTREAM_UNAVAILABLE", "the client's session ended"));
  }

  async close(options: CloseOptions = {}): Promise<void> {
    const { drain = false, error = this.#failure("UPSTREAM_UNAVAILABLE", "it is being closed") } = options;
    this.#over(error);
    if (drain && this.#inFlight.size > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    this.#endLanes(error);
    await Promise.all(this.#ending);
  }

  get #clientInfo(): JsonObject {
    return this.#deps.clientInfo ?? GATEWAY_INFO;
  }

  #laneFor(caller: Caller): Lane | GatewayError {
    if (this.#state.kind !== "open") return this.#overError();
    const { control, facts } = this.#state;
    const key = laneKey(this.#deps.spec.isolation, caller);
    if (key === undefined) return control;
    const existing = this.#lanes.get(key);
    if (existing !== undefined) return existing;
    const { maxLanes = 64 } = this.#options;
    if (this.#lanes.size >= maxLanes) {
      return this.#failure(
        "LIMITED",
        `all of its ${maxLanes} isolated processes are taken; try again when a session has ended`,
      );
    }
    const isOfSession = caller.sessionKey !== undefined && key === sessionLane(caller.sessionKey);
    const lane = this.#newLane({
      twin: facts,
      ...(caller.clientInfo === undefined ? {} : { clientInfo: caller.clientInfo }),
      onEnded: () => this.#dropLane(key, lane),
      onNotification: (notification) => {
        if (isOfSession) this.#onTold(notification, caller.sessionKey);
      },
    });
    this.#lanes.set(key, lane);
    lane.open().catch(() => this.#dropLane(key, lane));
    return lane;
  }

  #dropLane(key: string, lane: Lane): void {
    if (this.#lanes.get(key) === lane) this.#lanes.delete(key);
    this.#endLane(lane, this.#overError());
  }

  #newLane(settings: {
    readonly prior?: UpstreamFacts;
    readonly twin?: UpstreamFacts;
    readonly clientInfo?: JsonObject;
    readonly onEnded: (error: GatewayError) => void;
    readonly onNotification: (notification: JsonRpcNotification) => void;
  }): Lane {
    const { prior, twin, clientInfo = this.#clientInfo, onEnded, onNotification } = settings;
    const { callMs, callMaxMs } = this.#deps.spec.timeouts;
    return new Lane({
      opening: {
        ...openingDeps(this.#deps, this.#options, clientInfo, prior),
        ...(twin === undefined ? {} : { twin }),
      },
      callBounds: { idleMs: callMs, maxMs: callMaxMs },
      onNotification,
      onEnded,
    });
  }

  #resourcesOf({ era, capabilities }: UpstreamFacts): ResourceSubscriptions {
    if (era === "modern" || !offersSubscriptions(capabilities))
      return noSubscriptions(connectorName(this.#deps.spec.key));
    const ask = (method: string, params: JsonObject) => this.#ask(method, params);
    return new RequestedResources({ key: this.#deps.spec.key, logger: this.#deps.logger, ask });
  }

  #ask(method: string, params: JsonObject): Promise<JsonObject> {
    return this.request(method, params, { timeoutMs: this.#deps.spec.timeouts.listMs, maxBytes: MAX_ANSWER_BYTES });
  }

  #listeningTo({ peer, facts }: OpenPeer): ToolsListening | undefined {
    if (facts.era !== "modern" || !claimsToolChanges(facts.capabilities)) return undefined;
    const { spec, timers, random, logger, events } = this.#deps;
    return new ToolsListening({
      ...{ connectorId: spec.key, channel: peer.channel, timers, random, logger },
      meta: modernMeta(facts.revision, this.#clientInfo),
      onListChanged: () => events.onListChanged("tools"),
    });
  }

  #onNotification(notification: JsonRpcNotification): void {
    if (this.#state.kind !== "open") return;
    const { facts, listening } = this.#state;
    if (facts.era === "modern") listening?.onNotification(notification);
    else this.#onTold(notification);
  }

  #onTold(notification: JsonRpcNotification, sessionKey?: string): void {
    const changed = changedFeature(notification.method);
    // Lists come from the shared process: what another one says about its own concerns nobody.
    if (changed !== undefined) {
      if (sessionKey === undefined) this.#deps.events.onListChanged(changed);
    } else if (!isOfProtocol(notification.method)) this.#deps.events.onNotification(notification, sessionKey);
  }

  #onLost(error: GatewayError): void {
    const wasOpen = this.#state.kind === "open";
    this.#over(error);
    this.#endLanes(error);
    if (wasOpen) this.#deps.events.onLost(error);
  }

  #onSettled(call: object): void {
    this.#inFlight.delete(call);
    if (this.#inFlight.size > 0) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #over(error: GatewayError): void {
    if (this.#state.kind === "open") this.#state.listening?.stop();
    if (this.#state.kind !== "over") this.#state = { kind: "over", error };
  }

  #endLanes(error: GatewayError): void {
    for (const lane of [...this.#lanes.values(), this.#control]) if (lane !== undefined) this.#endLane(lane, error);
    this.#lanes.clear();
  }

  #endLane(lane: Lane, error: GatewayError): void {
    const ending = lane.end(error).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  #isOver(): boolean {
    return this.#state.kind === "over";
  }

  #overError(): GatewayError {
    return this.#state.kind === "over"
      ? this.#state.error
      : this.#failure("UPSTREAM_UNAVAILABLE", "it is not connected");
  }

  #failure(code: GatewayErrorCode, what: string, data?: { readonly upstreamCode: number }): GatewayError {
    const message = `${connectorName(this.#deps.spec.key)}: ${what}`;
    return new GatewayError(code, message, data === undefined ? {} : { data });
  }
}
