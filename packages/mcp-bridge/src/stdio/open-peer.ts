import { GatewayError, toJsonRpcError, type Clock } from "@cortex-os/mcp-core";
import type { PeerEvents, Serving } from "../channel/lane.js";
import type { UpstreamFacts } from "../link.js";
import { Handshake, type DetectedFacts, type HandshakeSettings } from "./handshake.js";
import { Peer, type PeerSettings } from "./peer.js";
import { lastWords } from "./stderr-tail.js";

/** What opening works with. */
export interface OpeningDeps {
  readonly peer: PeerSettings;
  readonly handshake: HandshakeSettings;
  readonly clock: Clock;
  /** From spawn to facts, however many starts it takes, in milliseconds. */
  readonly startMs: number;
  /** What it turned out to be last time. */
  readonly prior?: UpstreamFacts;
  /** What another process of the same server has turned out to be just now: modern facts need no greeting at all. */
  readonly twin?: UpstreamFacts;
}

const TOO_EARLY = new GatewayError("INVALID_REQUEST", "Requests may be sent when the session was initialized");

type Way = "detect" | "initialize" | "trust";

/** How to greet a server at its first start, and at a second one if it failed the first. */
function waysOf({ prior, twin }: OpeningDeps): {
  readonly first: Way;
  readonly second: Way | undefined;
  readonly onlyIfItDied: boolean;
} {
  if (twin?.era === "modern") return { first: "trust", second: undefined, onlyIfItDied: true };
  if ((twin ?? prior)?.era === "legacy") return { first: "initialize", second: "detect", onlyIfItDied: false };
  // A server that answered the probe and has nothing to offer would say the same again; one that died of it would not.
  return { first: "detect", second: "initialize", onlyIfItDied: true };
}

/**
 * Starts a server and learns its era. A server that dies of the probe is started again and greeted by `initialize`; one that was
 * legacy last time is greeted so at once, and if that fails, started again and probed.
 *
 * @param events heard from the moment this resolves; until then a loss is this function's own business
 * @returns a peer that serves
 * @throws GatewayError UPSTREAM_TIMEOUT after `startMs`, CANCELLED when `signal` ended it, or why the last start failed. No process
 *   is left then
 */
export async function openPeer(deps: OpeningDeps, events: PeerEvents, signal: AbortSignal): Promise<Serving<Peer>> {
  const opening = new Opening(deps, events);
  const abort = (): void => opening.give("CANCELLED", "its start was cancelled");
  const cancelDeadline = deps.handshake.timers.after(deps.startMs, () => {
    opening.give("UPSTREAM_TIMEOUT", `it did not answer within ${deps.startMs} ms of being started`);
  });
  signal.addEventListener("abort", abort, { once: true });
  try {
    if (signal.aborted) abort();
    return await opening.run();
  } finally {
    cancelDeadline();
    signal.removeEventListener("abort", abort);
  }
}

class Opening {
  readonly #deps: OpeningDeps;
  readonly #events: PeerEvents;
  #peer: Peer | undefined;
  #givenUp: GatewayError | undefined;
  #done = false;

  constructor(deps: OpeningDeps, events: PeerEvents) {
    this.#deps = deps;
    this.#events = events;
  }

  /** Gives up: whatever is waited for fails. */
  give(code: "CANCELLED" | "UPSTREAM_TIMEOUT", why: string): void {
    if (this.#done) return;
    const detail = lastWords(this.#peer?.lastLine ?? "");
    const message = `Connector ${JSON.stringify(this.#deps.peer.connectorId)}: ${why}`;
    this.#givenUp ??= new GatewayError(code, message, detail === undefined ? {} : { detail });
    this.#peer?.retire(this.#givenUp);
  }

  async run(): Promise<Serving<Peer>> {
    const { first, second, onlyIfItDied } = waysOf(this.#deps);
    try {
      return await this.#start(first);
    } catch (error) {
      const died = this.#peer?.lost !== undefined;
      await this.#discard();
      if (second === undefined || this.#givenUp !== undefined || (onlyIfItDied && !died)) throw this.#givenUp ?? error;
    }
    try {
      return await this.#start(second);
    } catch (error) {
      await this.#discard();
      throw this.#givenUp ?? error;
    }
  }

  async #start(way: Way): Promise<Serving<Peer>> {
    const peer: Peer = await Peer.start(this.#deps.peer, {
      onNotification: (notification) => {
        this.#events.onNotification(notification);
      },
      onRequest: (request, bytes) => {
        if (this.#done) this.#events.onRequest(request, bytes);
        // Before it was greeted a server may send nothing but pings (2025-11-25, Lifecycle).
        else peer.channel.send({ jsonrpc: "2.0", id: request.id, error: toJsonRpcError(TOO_EARLY) });
      },
      onLost: (error) => {
        if (this.#done) this.#events.onLost(error);
      },
    });
    this.#peer = peer;
    if (this.#givenUp !== undefined) throw this.#givenUp;
    const facts = await this.#greet(new Handshake(peer, this.#deps.handshake), way);
    // The answer may have been its last word.
    if (peer.lost !== undefined) throw peer.lost;
    if (facts.era === "modern") peer.channel.answersRequests = false;
    this.#done = true;
    return { peer, facts: { ...facts, detectedAt: new Date(this.#deps.clock.now()).toISOString() } };
  }

  async #greet(handshake: Handshake, way: Way): Promise<DetectedFacts> {
    if (way === "initialize") return handshake.initialize();
    return way === "trust" && this.#deps.twin !== undefined ? this.#deps.twin : handshake.detect();
  }

  /** Ends a peer that is of no use: gently if it may still be well, at once if time is up. */
  async #discard(): Promise<void> {
    const peer = this.#peer;
    this.#peer = undefined;
    await peer?.stop(this.#givenUp !== undefined);
  }
}
