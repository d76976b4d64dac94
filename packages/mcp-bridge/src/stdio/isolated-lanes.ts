import { GatewayError, type Isolation } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { SHARED_CAPABILITIES } from "../asking/client-capabilities.js";
import type { LinkDeps, UpstreamFacts } from "../link.js";
import type { Caller } from "../runtime/exchange.js";
import { connectorFailure } from "../channel/connector-failure.js";
import type { Lane } from "../channel/lane.js";
import type { LaneOwner } from "../channel/lane-logs.js";
import { newLane } from "./new-lane.js";
import type { StdioLinkOptions } from "./stdio-link-options.js";
import { tellOf } from "../channel/tell-of.js";

/**
 * The processes that principals or client sessions have of one connector, each started on first use.
 *
 * Clients that crash, and principals always, go without a goodbye: when there are too many, the one that was used longest ago and has no call under way makes
 * room. Its process ends, and the next call of its client starts another: a server that keeps state in its process has lost that client's then, which is better
 * than to refuse everybody.
 */
export class IsolatedLanes {
  readonly #deps: LinkDeps;
  readonly #options: StdioLinkOptions;
  readonly #isolation: { readonly current: Isolation };
  readonly #onAmbiguous: () => void;
  /** The last one is the one used most recently. */
  readonly #lanes = new Map<string, Lane>();
  readonly #ending = new Set<Promise<void>>();

  /**
   * @param isolation how clients are kept apart right now
   * @param onAmbiguous a server that a principal's clients share asked what several of them could have been meant by
   */
  constructor(
    deps: LinkDeps,
    options: StdioLinkOptions,
    isolation: { readonly current: Isolation },
    onAmbiguous: () => void,
  ) {
    this.#deps = deps;
    this.#options = options;
    this.#isolation = isolation;
    this.#onAmbiguous = onAmbiguous;
  }

  /**
   * The caller's own process.
   *
   * @param twin what the shared process turned out to be
   * @returns `undefined` for who shares the one that all share, an error when there are too many, with calls under way on all of them
   */
  of(caller: Caller, twin: UpstreamFacts): Lane | GatewayError | undefined {
    const { key } = this.#deps.spec;
    const { current: isolation } = this.#isolation;
    if (isolation === "shared") return undefined;
    const { sessionKey, principal } = caller;
    // A caller without a session counts as its principal.
    const isOfSession = isolation === "session" && sessionKey !== undefined;
    const name = isOfSession ? sessionLane(sessionKey) : `principal:${principal}`;
    const existing = this.#lanes.get(name);
    if (existing !== undefined) {
      this.#lanes.delete(name);
      this.#lanes.set(name, existing);
      return existing;
    }
    const { maxLanes = 64 } = this.#options;
    if (this.#lanes.size >= maxLanes && !this.#makeRoom()) {
      const what = `all of its ${maxLanes} isolated processes are busy; try again when a call has ended`;
      return connectorFailure(key, "LIMITED", what);
    }
    const owner = isOfSession
      ? ({ kind: "session", sessionKey, client: caller } as const)
      : ({ kind: "principal" } as const);
    return this.#start(name, owner, caller, twin);
  }

  /** Whether a call is under way on one of them, or one of their clients is being asked something. */
  get isBusy(): boolean {
    for (const lane of this.#lanes.values()) if (lane.isBusy) return true;
    return false;
  }

  /** The process of a client session, when it has one. */
  find(sessionKey: string): Lane | undefined {
    return this.#lanes.get(sessionLane(sessionKey));
  }

  /** A client session ended, and its process with it. */
  endSession(sessionKey: string): void {
    const name = sessionLane(sessionKey);
    const lane = this.#lanes.get(name);
    const error = connectorFailure(this.#deps.spec.key, "UPSTREAM_UNAVAILABLE", "the client's session ended");
    if (lane !== undefined) this.#end(name, lane, error);
  }

  /** Ends all of them. @returns when no process is left, of those that ended before neither. Never rejects */
  async endAll(error: GatewayError): Promise<void> {
    for (const [name, lane] of this.#lanes) this.#end(name, lane, error);
    await Promise.all(this.#ending);
  }

  /** What a process may ask back: what its client offers, or whatever one of its clients may offer. One without sessions has none that can be asked. */
  #capabilitiesFor(owner: LaneOwner): JsonObject {
    if (owner.kind === "session") return owner.client.capabilities ?? {};
    return this.#isolation.current === "principal" ? SHARED_CAPABILITIES : {};
  }

  #start(name: string, owner: LaneOwner, caller: Caller, twin: UpstreamFacts): Lane {
    const { events } = this.#deps;
    const lane = newLane(this.#deps, this.#options, {
      owner,
      twin,
      clientInfo: caller.clientInfo,
      capabilities: this.#capabilitiesFor(owner),
      onAmbiguous: this.#onAmbiguous,
      onEnded: (error) => this.#end(name, lane, error),
      onNotification: (notification, sessionKey = owner.kind === "session" ? owner.sessionKey : undefined) => {
        // What several sessions of a principal share speaks to none of them.
        if (sessionKey !== undefined) tellOf(notification, twin.era, events, sessionKey);
      },
    });
    this.#lanes.set(name, lane);
    lane
      .open()
      .catch((error: unknown) =>
        this.#end(name, lane, GatewayError.from(error, "INTERNAL", "starting a connector failed")),
      );
    return lane;
  }

  /** @returns whether there is room now */
  #makeRoom(): boolean {
    for (const [name, lane] of this.#lanes) {
      if (lane.isBusy) continue;
      this.#end(name, lane, connectorFailure(this.#deps.spec.key, "UPSTREAM_UNAVAILABLE", "it made room for others"));
      return true;
    }
    return false;
  }

  #end(name: string, lane: Lane, error: GatewayError): void {
    if (this.#lanes.get(name) === lane) this.#lanes.delete(name);
    const ending = lane.end(error).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }
}

const sessionLane = (sessionKey: string): string => `session:${sessionKey}`;
