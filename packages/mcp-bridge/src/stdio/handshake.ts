import type { GatewayError, Timers } from "@cortex-os/mcp-core";
import {
  isLegacyRevision,
  LATEST_LEGACY,
  LATEST_MODERN,
  type JsonObject,
  type JsonRpcResponse,
} from "@cortex-os/mcp-core/wire";
import { describedBy } from "../described-by.js";
import { modernMeta } from "../modern-meta.js";
import type { UpstreamFacts } from "../link.js";
import { printable, quoteUpstream } from "../upstream-text.js";
import type { Peer } from "./peer.js";
import { verdictOf, type ProbeVerdict } from "./probe-verdict.js";

/** What a server turned out to be, undated. */
export type DetectedFacts = Omit<UpstreamFacts, "detectedAt">;

/** How long a server may be silent about `server/discover` before it is taken for a legacy one. */
export interface ProbePatience {
  /** From its first output on: a server that is still starting has not ignored anything yet. Milliseconds. */
  readonly soundMs: number;
  /** In any case. Milliseconds. */
  readonly maxMs: number;
}

/** What a {@link Handshake} introduces, and waits by. */
export interface HandshakeSettings {
  readonly clientInfo: JsonObject;
  /** What a legacy server may ask back. */
  readonly capabilities: JsonObject;
  readonly timers: Timers;
  readonly patience: ProbePatience;
}

/**
 * The first exchange with a server: finds out its era, or opens a legacy session right away. Its waits have no end of their own:
 * the caller bounds them by retiring or stopping the peer, which fails them.
 */
export class Handshake {
  readonly #peer: Peer;
  readonly #settings: HandshakeSettings;

  constructor(peer: Peer, settings: HandshakeSettings) {
    this.#peer = peer;
    this.#settings = settings;
  }

  /**
   * Detects the era (2026-07-28, stdio, Backward Compatibility). Silence is answered by `initialize` on the same process while the
   * probe stays open, because a slow modern server and a silent legacy one look alike: then what `initialize` gives decides, and
   * a server that refuses it is what its late answer to the probe says.
   *
   * @throws GatewayError UPSTREAM_PROTOCOL if no common revision exists or the answers are nonsense; whatever the peer is lost by
   */
  async detect(): Promise<DetectedFacts> {
    const probe = this.#discover(LATEST_MODERN);
    const verdict = await this.#beforeSilence(probe);
    if (verdict !== undefined) return this.#follow(verdict);
    const initialized = await this.#initialize(LATEST_LEGACY);
    if (!("error" in initialized)) return this.#legacyFacts(initialized.result);
    const late = await this.#beforeSilence(probe);
    if (late === undefined || late.kind === "legacy") throw this.#initializeRefused(initialized.error.message);
    return this.#follow(late);
  }

  /**
   * Opens a legacy session.
   *
   * @throws GatewayError UPSTREAM_PROTOCOL if the server refuses `initialize` or answers in a revision that we do not know
   */
  async initialize(revision: string = LATEST_LEGACY): Promise<DetectedFacts> {
    const answer = await this.#initialize(revision);
    if ("error" in answer) throw this.#initializeRefused(answer.error.message);
    return this.#legacyFacts(answer.result);
  }

  async #follow(verdict: ProbeVerdict): Promise<DetectedFacts> {
    switch (verdict.kind) {
      case "modern":
        return verdict.facts;
      case "legacy":
        return this.initialize(verdict.revision);
      case "refused":
        throw this.#protocolError(verdict.reason);
      case "ask-again": {
        const second = await this.#discover(verdict.revision);
        if (second.kind === "modern") return second.facts;
        throw this.#protocolError(`it lists revision ${verdict.revision} but does not answer server/discover in it`);
      }
    }
  }

  async #discover(revision: string): Promise<ProbeVerdict> {
    const params = { _meta: modernMeta(revision, this.#settings.clientInfo) };
    return verdictOf(await this.#peer.ask("server/discover", params), revision);
  }

  #initialize(revision: string): Promise<JsonRpcResponse> {
    const { capabilities, clientInfo } = this.#settings;
    return this.#peer.ask("initialize", { protocolVersion: revision, capabilities, clientInfo });
  }

  #legacyFacts(result: JsonObject): DetectedFacts {
    const revision = result["protocolVersion"];
    if (typeof revision !== "string" || !isLegacyRevision(revision)) {
      const shown = printable(JSON.stringify(revision ?? null), 40);
      throw this.#protocolError(
        `it answered initialize with protocolVersion ${shown}, which the gateway does not speak`,
      );
    }
    this.#peer.channel.notify("notifications/initialized");
    return { era: "legacy", revision, ...describedBy(result) };
  }

  /** The verdict, or `undefined` once the server has been silent for too long. */
  async #beforeSilence(probe: Promise<ProbeVerdict>): Promise<ProbeVerdict | undefined> {
    const { timers, patience } = this.#settings;
    let cancelSound = (): void => {};
    let cancelMax = (): void => {};
    let over = false;
    const silence = new Promise<undefined>((resolve) => {
      const end = (): void => resolve(undefined);
      cancelMax = timers.after(patience.maxMs, end);
      void this.#peer.firstSound.then(() => {
        if (!over) cancelSound = timers.after(patience.soundMs, end);
      });
    });
    try {
      return await Promise.race([probe, silence]);
    } finally {
      over = true;
      cancelSound();
      cancelMax();
    }
  }

  #initializeRefused(said: string): GatewayError {
    return this.#protocolError(`it refused initialize ${quoteUpstream(said)}`);
  }

  #protocolError(what: string): GatewayError {
    return this.#peer.failure("UPSTREAM_PROTOCOL", what);
  }
}
