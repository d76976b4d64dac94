import type { ConnectorTimeouts, GatewayError, Timers } from "@cortex-os/mcp-core";
import { HEADER, LATEST_LEGACY, LATEST_MODERN, type JsonObject } from "@cortex-os/mcp-core/wire";
import { describedBy, type Described } from "../described-by.js";
import { modernMeta } from "../modern-meta.js";
import { judgeInitialize, judgeProbe } from "./detect-era.js";
import { protocolFailure, statusFailure, timeoutFailure } from "./failures.js";
import { httpReply, type HttpReply } from "./http-reply.js";
import type { HttpUpstream } from "./http-upstream.js";
import type { SessionFacts } from "./legacy-session.js";
import { legacyHeaders, modernHeaders, POST_HEADERS } from "./request-headers.js";
import { withinTime } from "./time-limit.js";

/** Longest answer to a handshake in bytes: instructions may be long, lists are not in it. */
const MAX_BYTES = 4 * 1024 * 1024;
/** How long the gateway waits for an upstream to confirm the end of a session, in milliseconds. */
const GOODBYE_MS = 2_000;
const PROBE_ID = "cortex-discover";
const INITIALIZE_ID = "cortex-initialize";

/** What an upstream said of itself. */
export type Greeting =
  | ({ readonly era: "modern"; readonly revision: string } & Described)
  | ({ readonly era: "legacy"; readonly revision: string; readonly session: SessionFacts } & Described);

/** Who introduces itself in `initialize`. */
export interface Introduction {
  /** What to offer; the upstream may choose another one. */
  readonly revision: string;
  /** @default the gateway itself */
  readonly clientInfo?: JsonObject | undefined;
  /** What can be asked back in the session. @default nothing */
  readonly capabilities?: JsonObject | undefined;
}

const AS_THE_GATEWAY: Introduction = { revision: LATEST_LEGACY };

/** The first words with an upstream: finds out its era and opens sessions. */
export class Handshake {
  readonly #upstream: HttpUpstream;
  readonly #timers: Timers;
  readonly #timeouts: ConnectorTimeouts;
  readonly #clientInfo: JsonObject;
  readonly #onGoodbyeFailed: (error: unknown) => void;

  constructor(
    upstream: HttpUpstream,
    timers: Timers,
    timeouts: ConnectorTimeouts,
    clientInfo: JsonObject,
    onGoodbyeFailed: (error: unknown) => void,
  ) {
    this.#upstream = upstream;
    this.#timers = timers;
    this.#timeouts = timeouts;
    this.#clientInfo = clientInfo;
    this.#onGoodbyeFailed = onGoodbyeFailed;
  }

  /**
   * Detects the era within `connectMs` altogether.
   *
   * @param legacyFirst whether the upstream was legacy last time: then `initialize` comes first and saves the probe
   * @throws GatewayError as `Link.open`
   */
  greet(legacyFirst: boolean, signal: AbortSignal): Promise<Greeting> {
    return this.#bounded(signal, async (bounded) => {
      if (legacyFirst) {
        const tried = await this.#initialize(AS_THE_GATEWAY, bounded);
        if (!("failure" in tried)) return legacyGreeting(tried);
        if (!tried.speaksOfEra) throw tried.failure;
      }
      return this.#probe(LATEST_MODERN, bounded);
    });
  }

  /**
   * Opens a legacy session within `connectMs`.
   *
   * @throws GatewayError as `Link.open`
   */
  openSession(introduction: Introduction, signal?: AbortSignal): Promise<SessionFacts> {
    return this.#bounded(signal, async (bounded) => {
      const tried = await this.#initialize(introduction, bounded);
      if ("failure" in tried) throw tried.failure;
      return tried;
    });
  }

  /** Tells the upstream that a session is over, for at most 2 s; whatever it says to that is fine. Never rejects. */
  async endSession(session: SessionFacts): Promise<void> {
    if (session.id === undefined) return;
    const expired = () => timeoutFailure(this.#upstream.key, GOODBYE_MS);
    const request = { method: "DELETE", headers: legacyHeaders(session), lane: "control" } as const;
    try {
      await withinTime(this.#timers, GOODBYE_MS, expired, [], (signal) =>
        httpReply(this.#upstream, request, { signal, maxBytes: MAX_BYTES }),
      );
    } catch (error) {
      this.#onGoodbyeFailed(error);
    }
  }

  #bounded<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { connectMs } = this.#timeouts;
    const expired = () => timeoutFailure(this.#upstream.key, connectMs, "did not say what it speaks");
    return withinTime(this.#timers, connectMs, expired, [signal], work);
  }

  /** @param isRepeated whether the upstream named this revision itself when it refused another */
  async #probe(revision: string, signal: AbortSignal, isRepeated = false): Promise<Greeting> {
    const reply = await this.#discover(revision, signal);
    const verdict = judgeProbe(this.#upstream.key, reply);
    if (verdict.kind === "modern") return { era: "modern", revision: verdict.revision, ...describedBy(verdict.result) };
    if (verdict.kind === "modern-silent") return silentGreeting(revision);
    if (verdict.kind === "failed") throw verdict.error;
    if (verdict.kind === "again") {
      if (!isRepeated) return this.#probe(verdict.revision, signal, true);
      throw protocolFailure(
        this.#upstream.key,
        `refuses the revision ${verdict.revision} and says that it supports it`,
      );
    }
    const tried = await this.#initialize(AS_THE_GATEWAY, signal);
    if (!("failure" in tried)) return legacyGreeting(tried);
    if (verdict.otherwise === "modern-silent" && tried.speaksOfEra) return silentGreeting(revision);
    throw tried.failure;
  }

  #discover(revision: string, signal: AbortSignal): Promise<HttpReply> {
    const params = { _meta: modernMeta(revision, this.#clientInfo) };
    const method = "server/discover";
    const headers = modernHeaders(revision, method, params);
    return this.#post({ jsonrpc: "2.0", id: PROBE_ID, method, params }, headers, signal, PROBE_ID);
  }

  async #initialize(
    { revision, clientInfo = this.#clientInfo, capabilities = {} }: Introduction,
    signal: AbortSignal,
  ): Promise<SessionFacts | { readonly failure: GatewayError; readonly speaksOfEra: boolean }> {
    const { key } = this.#upstream;
    const params = { protocolVersion: revision, capabilities, clientInfo };
    const reply = await this.#post(
      { jsonrpc: "2.0", id: INITIALIZE_ID, method: "initialize", params },
      [],
      signal,
      INITIALIZE_ID,
    );
    const judged = judgeInitialize(key, reply);
    if (judged instanceof Error) return { failure: judged, speaksOfEra: judged.code === "UPSTREAM_PROTOCOL" };
    const id = reply.headers[HEADER.sessionId];
    const session: SessionFacts = { ...judged, ...(id === undefined ? {} : { id }) };
    const initialized = { jsonrpc: "2.0", method: "notifications/initialized" };
    const { status, body } = await this.#post(initialized, legacyHeaders(session), signal);
    if (status >= 300) return { failure: statusFailure(key, status, body), speaksOfEra: false };
    return session;
  }

  #post(message: object, headers: readonly string[], signal: AbortSignal, answerTo?: string): Promise<HttpReply> {
    return httpReply(
      this.#upstream,
      { method: "POST", headers: [...POST_HEADERS, ...headers], body: JSON.stringify(message), lane: "control" },
      { signal, maxBytes: MAX_BYTES, ...(answerTo === undefined ? {} : { answerTo }) },
    );
  }
}

/** What it offers is not known: tools are assumed, or nobody would ever ask for them. */
const silentGreeting = (revision: string): Greeting => ({ era: "modern", revision, capabilities: { tools: {} } });

function legacyGreeting(session: SessionFacts): Greeting {
  return { era: "legacy", revision: session.revision, session, ...describedBy(session.result) };
}
