import { GatewayError, messageOf, Roster, type Logger, type Timers } from "@cortex-os/mcp-core";
import {
  MAX_JSON_DEPTH,
  type JsonRpcErrorObject,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type LogLevel,
} from "@cortex-os/mcp-core/wire";
import type { AskedQuestion, UpstreamQuestion } from "../asking/question.js";
import type { UpstreamFacts } from "../link.js";
import { isLog, isLogFor, offersLogging } from "../log-levels.js";
import type { Channel, RequestBounds } from "./channel.js";
import type { ClientCall } from "./client-call.js";
import { levelInFlight, levelToTell, type LaneOwner } from "./lane-logs.js";
import { LaneQuestions } from "./lane-questions.js";
import { ask } from "./own-request.js";

/** Who is at the other end of a lane. */
export interface LanePeer {
  readonly channel: Channel;
  /** Serves no more: requests under way fail with `error`, and nothing is heard of it again. `stop` remains to be called. */
  retire(error: GatewayError): void;
  /** @returns when nothing of it is left */
  stop(): Promise<void>;
}

/** A peer that serves, and what it is. */
export interface Serving<P extends LanePeer = LanePeer> {
  readonly peer: P;
  readonly facts: UpstreamFacts;
}

/** Hears of a {@link LanePeer} from its start on. */
export interface PeerEvents {
  onNotification(notification: JsonRpcNotification): void;
  /** A request other than a ping, of a peer of the legacy era. @param bytes length of the message */
  onRequest(request: JsonRpcRequest, bytes: number): void;
  /** The peer serves no more, and not because it was stopped. Called once, after every request under way has failed. */
  onLost(error: GatewayError): void;
}

/** Most requests of a peer's that wait until its lane is open, and most bytes of them. */
const MAX_EARLY = 100;
const MAX_EARLY_BYTES = 4 * 1024 * 1024;

/** What a {@link Lane} works with. */
export interface LaneDeps {
  readonly logger: Logger;
  readonly timers: Timers;
  /**
   * Starts the peer.
   *
   * @param events heard from the moment this resolves
   * @throws GatewayError why there is none; nothing of it is left then
   */
  readonly open: (events: PeerEvents, signal: AbortSignal) => Promise<Serving>;
  /** Bounds of a client's call. */
  readonly callBounds: Required<Pick<RequestBounds, "idleMs" | "maxMs">>;
  /** How long a peer may take to agree to a log level, in milliseconds; nobody waits for it. */
  readonly levelMs: number;
  readonly owner: LaneOwner;
  /** Puts a question of the peer's to a client outside of its calls; see `LinkEvents`. */
  readonly askSession: (sessionKey: string, question: UpstreamQuestion) => AskedQuestion | undefined;
  /** The peer asked something that several clients could have been meant by; it was refused. */
  readonly onAmbiguous?: () => void;
  /**
   * A notification that belongs to no request, a log message among them that calls in flight have got already.
   *
   * @param sessionKey the client session that it is for, although others share the peer
   */
  readonly onNotification: (notification: JsonRpcNotification, sessionKey?: string) => void;
  /** The lane ended, and not because its owner ended it. Called once, after its calls have failed. */
  readonly onEnded: (error: GatewayError) => void;
}

type State =
  | { readonly kind: "opening" }
  | ({ readonly kind: "open" } & Serving)
  | { readonly kind: "ended"; readonly error: GatewayError };

/** One connection to a connector and the calls on it: the one all callers share, or one for a principal or session alone. */
export class Lane {
  readonly #deps: LaneDeps;
  readonly #bounds: RequestBounds;
  readonly #abort = new AbortController();
  readonly #waiting = new Set<ClientCall>();
  readonly #inFlight = new Roster<ClientCall>();
  /** What came before the lane was open: a server may ask as soon as it was greeted. */
  #early: { readonly request: JsonRpcRequest; readonly bytes: number }[] = [];
  #earlyBytes = 0;
  #questions: LaneQuestions | undefined;
  /** From which level on a legacy peer was told to log. */
  #toldLevel: LogLevel | undefined;
  #state: State = { kind: "opening" };
  #opening: Promise<Serving> | undefined;

  constructor(deps: LaneDeps) {
    this.#deps = deps;
    this.#bounds = { ...deps.callBounds, maxDepth: MAX_JSON_DEPTH };
  }

  /** Whether a call waits or is under way on it, or its client is being asked something. */
  get isBusy(): boolean {
    return this.#waiting.size > 0 || this.#inFlight.size > 0 || (this.#questions?.size ?? 0) > 0;
  }

  /** The peer and its facts while the lane serves. */
  get serving(): Serving | undefined {
    return this.#state.kind === "open" ? this.#state : undefined;
  }

  /**
   * Starts the peer. To be called once; calls may be sent before it resolves.
   *
   * @throws GatewayError as {@link LaneDeps.open} does; the lane has ended then, and every call on it has failed
   */
  async open(signal?: AbortSignal): Promise<UpstreamFacts> {
    const ended = this.#abort.signal;
    const events = {
      onNotification: (notification: JsonRpcNotification): void => {
        if (this.#state.kind === "open") this.#onNotification(notification, this.#state.facts);
      },
      onRequest: (request: JsonRpcRequest, bytes: number): void => {
        if (this.#state.kind === "open") this.#questions?.take(request, bytes);
        else if (this.#early.length < MAX_EARLY && this.#earlyBytes + bytes <= MAX_EARLY_BYTES) {
          this.#earlyBytes += bytes;
          this.#early.push({ request, bytes });
        }
      },
      onLost: (error: GatewayError): void => {
        void this.end(error);
        this.#deps.onEnded(error);
      },
    };
    this.#opening = this.#deps.open(events, signal === undefined ? ended : AbortSignal.any([signal, ended]));
    try {
      const open = await this.#opening;
      if (this.#state.kind === "ended") throw this.#state.error;
      this.#state = { kind: "open", ...open };
      if (open.facts.era === "legacy") this.#questions = this.#questionsOf(open);
      for (const call of this.#waiting) this.#begin(call, open);
      this.#waiting.clear();
      for (const { request, bytes } of this.#early.splice(0)) this.#questions?.take(request, bytes);
      return open.facts;
    } catch (error) {
      const failure = GatewayError.from(error, "INTERNAL", "starting a connector failed");
      void this.end(failure);
      throw failure;
    }
  }

  /** Sends a client's call, at once or as soon as the lane is open. A lane that has ended fails it. */
  send(call: ClientCall): void {
    const state = this.#state;
    if (state.kind === "open") this.#begin(call, state);
    else if (state.kind === "opening") this.#waiting.add(call);
    else call.onFailure(state.error);
  }

  /** Forgets a call that was settled. @param error what it was answered with */
  forget(call: ClientCall, error?: JsonRpcErrorObject): void {
    if (!this.#inFlight.delete(call)) this.#waiting.delete(call);
    if (error !== undefined) this.#questions?.answeredWith(error, call);
    this.#questions?.settled(call);
  }

  /** Tells the peer something, once it serves. */
  tell({ method, params }: JsonRpcNotification): void {
    this.serving?.peer.channel.notify(method, params);
  }

  /** From which level on a peer is to log that is legacy and offers it; what it answers is logged only. */
  setLogLevel(level: LogLevel): void {
    const { serving } = this;
    if (serving === undefined || level === this.#toldLevel || !takesLevels(serving.facts)) return;
    this.#toldLevel = level;
    const { levelMs, logger } = this.#deps;
    const { channel } = serving.peer;
    const { connectorId } = channel;
    ask(channel, "logging/setLevel", { level }, { maxMs: levelMs })
      .then((answer) => ("error" in answer ? answer.error.message : undefined), messageOf)
      .then((reason) => {
        if (reason !== undefined) logger.debug({ connectorId, reason }, "The upstream did not take a log level");
      })
      .catch(() => {});
  }

  /**
   * Ends the peer; its calls fail with `error`.
   *
   * @returns when nothing of it is left. Idempotent; never rejects
   */
  async end(error: GatewayError): Promise<void> {
    const before = this.#state;
    if (before.kind !== "ended") {
      this.#state = { kind: "ended", error };
      this.#abort.abort();
      this.#questions?.endAll(error);
      if (before.kind === "open") before.peer.retire(error);
      for (const call of [...this.#waiting]) call.onFailure(error);
      this.#waiting.clear();
    }
    const open = await this.#opening?.catch(() => undefined);
    await open?.peer.stop();
  }

  #questionsOf({ peer: { channel } }: Serving): LaneQuestions {
    const { askSession, callBounds, onAmbiguous = () => {}, owner, timers } = this.#deps;
    const inFlight = (): readonly ClientCall[] =>
      this.#inFlight.all().toSorted((one, other) => one.order - other.order);
    return new LaneQuestions({ channel, askSession, onAmbiguous, owner, timers, inFlight, maxMs: callBounds.maxMs });
  }

  #onNotification(notification: JsonRpcNotification, { era }: UpstreamFacts): void {
    const { method, params } = notification;
    const { onNotification, owner } = this.#deps;
    const questions = this.#questions;
    if (method === "notifications/cancelled") questions?.withdrawn(params);
    if (method === "notifications/elicitation/complete" && questions !== undefined && owner.kind !== "session") {
      const sessionKey = questions.completed(params);
      if (sessionKey !== undefined) onNotification(notification, sessionKey);
      return;
    }
    if (isLog(notification)) {
      for (const call of this.#inFlight.all()) {
        if (isLogFor(levelInFlight(call.call, owner, era), notification)) call.hear(notification);
      }
    }
    onNotification(notification);
  }

  #begin(call: ClientCall, { peer, facts }: Serving): void {
    if (takesLevels(facts)) {
      const level = levelToTell(call.call, this.#deps.owner, this.#toldLevel);
      if (level !== undefined) this.setLogLevel(level);
    }
    this.#inFlight.add(call);
    call.begin(peer.channel, facts, this.#bounds);
  }
}

const takesLevels = ({ era, capabilities }: UpstreamFacts): boolean => era === "legacy" && offersLogging(capabilities);
