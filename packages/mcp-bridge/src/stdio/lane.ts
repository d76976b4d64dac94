import { GatewayError } from "@cortex-os/mcp-core";
import type { JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import type { UpstreamFacts } from "../link.js";
import type { RequestBounds } from "./channel.js";
import type { ClientCall } from "./client-call.js";
import { openPeer, type OpeningDeps, type OpenPeer } from "./open-peer.js";

/** What a {@link Lane} works with. */
export interface LaneDeps {
  readonly opening: OpeningDeps;
  /** Bounds of a client's call. */
  readonly callBounds: RequestBounds;
  /** A notification that belongs to no request. */
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
        if (this.#state.kind === "open") this.#deps.onNotification(notification);
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

  /** Forgets a call that was settled while it waited. */
  forget(call: ClientCall): void {
    this.#waiting.delete(call);
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

  #begin(call: ClientCall, { peer, facts }: OpenPeer): void {
    call.begin(peer.channel, facts, this.#deps.callBounds);
  }
}
