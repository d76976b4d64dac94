import { GatewayError, messageOf } from "@cortex-os/mcp-core";
import type { JsonRpcNotification, LogLevel } from "@cortex-os/mcp-core/wire";
import type { UpstreamFacts } from "../link.js";
import { isLog, isLogFor, offersLogging } from "../log-levels.js";
import type { RequestBounds } from "./channel.js";
import type { ClientCall } from "./client-call.js";
import { levelInFlight, levelToTell, type LaneOwner } from "./lane-logs.js";
import { openPeer, type OpeningDeps, type OpenPeer } from "../stdio/open-peer.js";

/** What a {@link Lane} works with. */
export interface LaneDeps {
  readonly opening: OpeningDeps;
  /** Bounds of a client's call. */
  readonly callBounds: RequestBounds;
  /** How long a child may take to agree to a log level, in milliseconds; nobody waits for it. */
  readonly levelMs: number;
  readonly owner: LaneOwner;
  /** A notification that belongs to no request, a log message among them that calls in flight have got already. */
  readonly onNotification: (notification: JsonRpcNotification) => void;
  /** The lane ended, and not because its owner ended it. Called once, after its calls have failed. */
  readonly onEnded: (error: GatewayError) => void;
}

type State =
  | { readonly kind: "opening" }
  | ({ readonly kind: "open" } & OpenPeer)
  | { readonly kind: "ended"; readonly error: GatewayError };

/** One child process of a connector and the calls on it: the one all callers share, or one for a principal or session alone. */
export class Lane {
  readonly #deps: LaneDeps;
  readonly #abort = new AbortController();
  readonly #waiting = new Set<ClientCall>();
  readonly #inFlight = new Set<ClientCall>();
  /** From which level on a legacy child was told to log. */
  #toldLevel: LogLevel | undefined;
  #state: State = { kind: "opening" };
  #opening: Promise<OpenPeer> | undefined;

  constructor(deps: LaneDeps) {
    this.#deps = deps;
  }

  /** The child and its facts while the lane serves. */
  get serving(): OpenPeer | undefined {
    return this.#state.kind === "open" ? this.#state : undefined;
  }

  /**
   * Starts the child. To be called once; calls may be sent before it resolves.
   *
   * @throws GatewayError as {@link openPeer} does; the lane has ended then, and every call on it has failed
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
    this.#opening = openPeer(
      this.#deps.opening,
      events,
      signal === undefined ? ended : AbortSignal.any([signal, ended]),
    );
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

  /** From which level on a child is to log that is legacy and offers it; what it answers is logged only. */
  setLogLevel(level: LogLevel): void {
    const { serving } = this;
    if (serving === undefined || level === this.#toldLevel || !takesLevels(serving.facts)) return;
    this.#toldLevel = level;
    const { levelMs, opening } = this.#deps;
    const { connectorId, logger } = opening.peer;
    serving.peer
      .ask("logging/setLevel", { level }, { maxMs: levelMs })
      .then((answer) => ("error" in answer ? answer.error.message : undefined), messageOf)
      .then((reason) => {
        if (reason !== undefined) logger.debug({ connectorId, reason }, "The upstream did not take a log level");
      })
      .catch(() => {});
  }

  /**
   * Ends the child; its calls fail with `error`.
   *
   * @returns when no process of it is left. Idempotent; never rejects
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

  #begin(call: ClientCall, { peer, facts }: OpenPeer): void {
    if (takesLevels(facts)) {
      const level = levelToTell(call.call, this.#deps.owner, this.#toldLevel);
      if (level !== undefined) this.setLogLevel(level);
    }
    this.#inFlight.add(call);
    call.begin(peer.channel, facts, this.#deps.callBounds);
  }
}

const takesLevels = ({ era, capabilities }: UpstreamFacts): boolean => era === "legacy" && offersLogging(capabilities);
