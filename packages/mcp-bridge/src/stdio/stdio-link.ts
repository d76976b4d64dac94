import { GatewayError, type GatewayErrorCode } from "@cortex-os/mcp-core";
import type { JsonObject, JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import { withMeta } from "@cortex-os/mcp-core/wire";
import {
  GATEWAY_INFO,
  type CloseOptions,
  type Link,
  type LinkDeps,
  type OwnRequestOptions,
  type UpstreamFacts,
} from "../link.js";
import { claimsToolChanges } from "../tool-changes.js";
import { quoteUpstream } from "../upstream-text.js";
import type { AnswerSink, Caller, Exchange, UpstreamCall } from "../runtime/exchange.js";
import { ClientCall } from "./client-call.js";
import { modernMeta, type ProbePatience } from "./handshake.js";
import { Lane } from "./lane.js";
import type { OpeningDeps, OpenPeer } from "./open-peer.js";
import { ToolsListening } from "./tools-listening.js";

/** What may be set about a {@link StdioLink}; every bound has a default. */
export interface StdioLinkOptions {
  /** How long a server whose era is not known may be silent about `server/discover`. @default 1.5 s after its first output, 5 s at most */
  readonly patience?: ProbePatience;
  /** How long a stop waits after closing stdin, and again after SIGTERM, in milliseconds. @default 2_000 */
  readonly graceMs?: number;
  /** Longest message of a server in bytes; a longer one ends the link. @default 32 MiB */
  readonly maxLineBytes?: number;
  /** How much may wait for a server that does not read, in bytes. @default 16 MiB */
  readonly maxQueuedBytes?: number;
  /** How many processes principals or sessions may have of one connector. @default 64 */
  readonly maxLanes?: number;
  /** The environment of which children get a minimal part. @default `process.env` */
  readonly hostEnv?: Readonly<Record<string, string | undefined>>;
}

const MIB = 1024 * 1024;
const DEFAULT_PATIENCE: ProbePatience = { soundMs: 1_500, maxMs: 5_000 };

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
  /** Ends under way: `close` waits for them. */
  readonly #ending = new Set<Promise<void>>();
  #state: State = { kind: "new" };
  #control: Lane | undefined;
  #whenIdle: (() => void)[] = [];

  constructor(deps: LinkDeps, options: StdioLinkOptions = {}) {
    this.#deps = deps;
    this.#options = options;
  }

  async open(signal: AbortSignal): Promise<UpstreamFacts> {
    if (this.#state.kind === "over") throw this.#state.error;
    if (this.#control !== undefined) throw this.#failure("INTERNAL", "a link is opened only once");
    const { prior } = this.#deps;
    const control = this.#newLane({
      ...(prior === undefined ? {} : { prior }),
      onEnded: (error) => this.#onLost(error),
      onNotification: (notification) => this.#onNotification(notification),
    });
    this.#control = control;
    const facts = await control.open(signal);
    const { serving } = control;
    // Lost or closed between its last word and now.
    if (this.#isOver() || serving === undefined) throw this.#overError();
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
    throw this.#failure("UPSTREAM_PROTOCOL", `it answered ${method} with error ${code} ${quoteUpstream(message)}`);
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
    const lane = this.#newLane({
      twin: facts,
      ...(caller.clientInfo === undefined ? {} : { clientInfo: caller.clientInfo }),
      onEnded: () => this.#dropLane(key, lane),
      // Lists come from the shared process: what this one says about its own concerns nobody.
      onNotification: () => {},
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
        ...this.#openingDeps(clientInfo, prior),
        ...(prior === undefined ? {} : { prior }),
        ...(twin === undefined ? {} : { twin }),
      },
      callBounds: { idleMs: callMs, maxMs: callMaxMs },
      onNotification,
      onEnded,
    });
  }

  #openingDeps(clientInfo: JsonObject, prior: UpstreamFacts | undefined): OpeningDeps {
    const { spec, timers, logger, clock } = this.#deps;
    const { transport, key, timeouts } = spec;
    if (transport.kind !== "stdio") throw this.#failure("INTERNAL", "a stdio link was made for another transport");
    const {
      graceMs = 2_000,
      maxLineBytes = 32 * MIB,
      maxQueuedBytes = 16 * MIB,
      hostEnv = process.env,
    } = this.#options;
    const { command, args, env, cwd } = transport;
    const half = timeouts.startMs / 2;
    // A server known to be modern is given half of its start to say so again, before it is offered `initialize`.
    const patience =
      prior?.era === "modern" ? { soundMs: half, maxMs: half } : (this.#options.patience ?? DEFAULT_PATIENCE);
    return {
      peer: {
        ...{ connectorId: key, command, args, env, hostEnv, timers, logger, graceMs, maxLineBytes, maxQueuedBytes },
        ...(cwd === undefined ? {} : { cwd }),
      },
      handshake: { clientInfo, timers, patience },
      clock,
      startMs: timeouts.startMs,
    };
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
    else if (notification.method === "notifications/tools/list_changed") this.#deps.events.onListChanged("tools");
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

  #failure(code: GatewayErrorCode, what: string): GatewayError {
    return new GatewayError(code, `Connector ${JSON.stringify(this.#deps.spec.key)}: ${what}`);
  }
}

const sessionLane = (sessionKey: string): string => `session:${sessionKey}`;

/** Which process a caller's calls go to; `undefined` is the shared one. A caller without a session counts as its principal. */
function laneKey(isolation: "shared" | "principal" | "session", { sessionKey, principal }: Caller): string | undefined {
  if (isolation === "shared") return undefined;
  return isolation === "session" && sessionKey !== undefined ? sessionLane(sessionKey) : `principal:${principal}`;
}
