import { GatewayError } from "@cortex-os/mcp-core";
import { isLegacyRevision, LATEST_LEGACY, type JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import { Lane } from "../channel/lane.js";
import { connectorName, UnreachableError } from "../http/failures.js";
import type { AskedQuestion, UpstreamQuestion } from "../asking/question.js";
import type { Caller } from "../runtime/exchange.js";
import { openSsePeer, type SseOpening } from "./open-sse-peer.js";

/** Most connections for clients at one time; each holds one of the sockets for clients' streams for as long as it lives. */
const MAX_SESSIONS = 256;

/** Who hears of what happens on the connections of clients: the link that lives right now. */
export interface SseFollower {
  /** @param sessionKey the client session whose connection it came from; what several clients of a principal share speaks to none of them */
  onNotification(notification: JsonRpcNotification, sessionKey: string): void;
  /** See `LinkEvents`. */
  onQuestion(sessionKey: string, question: UpstreamQuestion): AskedQuestion | undefined;
  /** No connection can be made any more. */
  onUnreachable(error: GatewayError): void;
}

/**
 * Which client uses which connection of an HTTP+SSE upstream: one for each client session, one for each principal for clients without, none shared by
 * strangers (design.md, decision 6). Opened on first use; one that is lost is opened anew by the next call. They outlive the link: when the gateway's own stream breaks, nothing
 * is known of theirs.
 *
 * Clients that crash, and principals always, go without a goodbye: when there are too many, the one that was used longest ago and has no call under way makes room.
 */
export class SseSessions {
  /** Set by the link that lives. */
  follower: SseFollower | undefined;
  readonly #opening: SseOpening;
  /** The last one is the one used most recently. */
  readonly #lanes = new Map<string, Lane>();
  readonly #ending = new Set<Promise<void>>();

  constructor(opening: SseOpening) {
    this.#opening = opening;
  }

  /**
   * The caller's connection, possibly not yet open.
   *
   * @throws GatewayError LIMITED when there are too many already, with calls under way on all of them
   */
  of(caller: Caller): Lane {
    const key = keyOf(caller);
    const lane = this.#lanes.get(key) ?? this.#create(key, caller);
    this.#lanes.delete(key);
    this.#lanes.set(key, lane);
    return lane;
  }

  /** The connection of a client session, when it has one. */
  find(sessionKey: string): Lane | undefined {
    return this.#lanes.get(keyOf({ sessionKey }));
  }

  /** The client session ended: its connection is closed. */
  end(sessionKey: string): void {
    this.#end(keyOf({ sessionKey }), this.#failure("UPSTREAM_UNAVAILABLE", "the client's session ended"));
  }

  /** Closes all of them; what is under way fails with `error`. Resolves when nothing is left. */
  async endAll(error: GatewayError): Promise<void> {
    for (const key of [...this.#lanes.keys()]) this.#end(key, error);
    await Promise.all(this.#ending);
  }

  #create(key: string, caller: Caller): Lane {
    if (this.#lanes.size >= MAX_SESSIONS) this.#makeRoom();
    const { logger, timeouts, timers } = this.#opening;
    const { callMs, callMaxMs, listMs } = timeouts;
    const { capabilities, clientInfo, revision, sessionKey } = caller;
    const greeting = {
      isOwn: false,
      onUnreachable: (error: GatewayError) => this.follower?.onUnreachable(error),
      revision: isLegacyRevision(revision) ? revision : LATEST_LEGACY,
      // A connection shared by a principal's clients is the gateway's own: no single client's name fits it, and nobody can be asked over it.
      ...(sessionKey === undefined || clientInfo === undefined ? {} : { clientInfo }),
      ...(sessionKey === undefined || capabilities === undefined ? {} : { capabilities }),
    };
    const lane = new Lane({
      logger,
      timers,
      open: (events, signal) => openSsePeer(this.#opening, greeting, events, signal),
      callBounds: { idleMs: callMs, maxMs: callMaxMs },
      levelMs: listMs,
      owner: sessionKey === undefined ? { kind: "principal" } : { kind: "session", sessionKey, client: caller },
      askSession: (asked, question) => this.follower?.onQuestion(asked, question),
      onNotification: (notification) => {
        if (sessionKey !== undefined) this.follower?.onNotification(notification, sessionKey);
      },
      onEnded: () => this.#forget(key, lane),
    });
    lane.open().catch((error: unknown) => {
      this.#forget(key, lane);
      if (error instanceof UnreachableError) this.follower?.onUnreachable(error);
    });
    return lane;
  }

  #forget(key: string, lane: Lane): void {
    if (this.#lanes.get(key) === lane) this.#lanes.delete(key);
  }

  #makeRoom(): void {
    for (const [key, lane] of this.#lanes) {
      if (lane.isBusy) continue;
      this.#end(key, this.#failure("UPSTREAM_UNAVAILABLE", "it made room for others"));
      return;
    }
    throw this.#failure("LIMITED", `all of its ${MAX_SESSIONS} connections are busy; try again when a call has ended`);
  }

  #end(key: string, error: GatewayError): void {
    const lane = this.#lanes.get(key);
    if (lane === undefined) return;
    this.#lanes.delete(key);
    const ending = lane.end(error).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  #failure(code: "LIMITED" | "UPSTREAM_UNAVAILABLE", what: string): GatewayError {
    return new GatewayError(code, `${connectorName(this.#opening.upstream.key)}: ${what}`);
  }
}

const keyOf = ({ sessionKey, principal = "" }: { readonly sessionKey?: string; readonly principal?: string }): string =>
  sessionKey === undefined ? `principal:${principal}` : `session:${sessionKey}`;
