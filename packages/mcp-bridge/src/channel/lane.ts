import { GatewayError, messageOf, type Logger } from "@cortex-os/mcp-core";
import type { JsonRpcNotification, LogLevel } from "@cortex-os/mcp-core/wire";
import type { UpstreamFacts } from "../link.js";
import { isLog, isLogFor, offersLogging } from "../log-levels.js";
import type { Channel, RequestBounds } from "./channel.js";
import type { ClientCall } from "./client-call.js";
import { levelInFlight, levelToTell, type LaneOwner } from "./lane-logs.js";
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
  /** The peer serves no more, and not because it was stopped. Called once, after every request under way has failed. */
  onLost(error: GatewayError): void;
}

/** What a {@link Lane} works with. */
export interface LaneDeps {
  readonly logger: Logger;
  /**
   * Starts the peer.
   *
   * @param events heard from the moment this resolves
   * @throws GatewayError why there is none; nothing of it is left then
   */
  readonly open: (events: PeerEvents, signal: AbortSignal) => Promise<Serving>;
  /** Bounds of a client's call. */
  readonly callBounds: RequestBounds;
  /** How long a peer may take to agree to a log level, in milliseconds; nobody waits for it. */
  readonly levelMs: number;
  readonly owner: LaneOwner;
  /** A notification that belongs to no request, a log message among them that calls in flight have got already. */
  readonly onNotification: (notification: JsonRpcNotification) => void;
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
  readonly #abort = new AbortController();
  readonly #waiting = new Set<ClientCall>();
  readonly #inFlight = new Set<ClientCall>();
  /** From which level on a legacy peer was told to log. */
  #toldLevel: LogLevel | undefined;
  #state: State = { kind: "opening" };
  #opening: Promise<Serving> | undefined;

  constructor(deps: LaneDeps) {
    this.#deps = deps;
  }

  /** Whether a call waits or is under way on it. */
  get isBusy(): boolean {
    return this.#waiting.size > 0 || this.#inFlight.size > 0;
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
      for (const call of this.#waiting) this.#begin(call, open);
      this.#waiting.clear();
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

  /** Forgets a call that was settled. */
  forget(call: ClientCall): void {
    this.#waiting.delete(call);
    this.#inFlight.delete(call);
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
      if (before.kind === "open") before.peer.retire(error);
      for (const call of [...this.#waiting]) call.onFailure(error);
      this.#waiting.clear();
    }
    const open = await this.#opening?.catch(() => undefined);
    await open?.peer.stop();
  }

  #onNotification(notification: JsonRpcNotification, { era }: UpstreamFacts): void {
    if (isLog(notification)) {
      for (const call of this.#inFlight) {
        if (isLogFor(levelInFlight(call.call, this.#deps.owner, era), notification)) call.hear(notification);
      }
    }
    this.#deps.onNotification(notification);
  }

  #begin(call: ClientCall, { peer, facts }: Serving): void {
    if (takesLevels(facts)) {
      const level = levelToTell(call.call, this.#deps.owner, this.#toldLevel);
      if (level !== undefined) this.setLogLevel(level);
    }
    this.#inFlight.add(call);
    call.begin(peer.channel, facts, this.#deps.callBounds);
  }
}

const takesLevels = ({ era, capabilities }: UpstreamFacts): boolean => era === "legacy" && offersLogging(capabilities);
