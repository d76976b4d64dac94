import type { Clock, GatewayError, Timers } from "@cortex-os/mcp-core";
import type { JsonObject, JsonRpcNotification, LogLevel } from "@cortex-os/mcp-core/wire";
import type { CloseOptions, Link, OwnRequestOptions, UpstreamFacts } from "../link.js";
import { ANSWERED, type AnswerSink, type Exchange, type UpstreamCall } from "../runtime/exchange.js";
import { NoSseServerError } from "../sse/no-sse-server-error.js";
import { closedFailure, NotStreamableError, timeoutFailure } from "./failures.js";
import { withinTime } from "./time-limit.js";
import { isFresh } from "./verdict-age.js";

/** What a {@link DetectedLink} chooses from. */
export interface DetectedLinkDeps {
  readonly key: string;
  readonly connectMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly prior?: UpstreamFacts;
  readonly streamable: () => Link;
  /** @param prior what is remembered of this upstream, if it was of this transport and that still counts */
  readonly sse: (prior?: UpstreamFacts) => Link;
}

/**
 * A link to an HTTP upstream of which nobody said what transport it speaks: Streamable HTTP or, if `initialize` by POST meets a 400, 404 or 405 without a word of
 * the modern era, the older HTTP+SSE (2025-11-25, transports, Backwards Compatibility; 2026-07-28, Streamable HTTP, Backward Compatibility). What it was last
 * time is tried first.
 */
export class DetectedLink implements Link {
  readonly #deps: DetectedLinkDeps;
  #chosen: Link | undefined;
  #logLevel: LogLevel | undefined;

  constructor(deps: DetectedLinkDeps) {
    this.#deps = deps;
  }

  /** As {@link Link.open}; the detection altogether has `connectMs`. */
  open(signal: AbortSignal): Promise<UpstreamFacts> {
    const { connectMs, key, timers } = this.#deps;
    const expired = () => timeoutFailure(key, connectMs, "did not say what it speaks");
    return withinTime(timers, connectMs, expired, [signal], (bounded) => this.#detect(bounded));
  }

  send(call: UpstreamCall, sink: AnswerSink): Exchange {
    if (this.#chosen !== undefined) return this.#chosen.send(call, sink);
    sink.fail(this.#notOpen());
    return ANSWERED;
  }

  request(method: string, params: JsonObject, options: OwnRequestOptions): Promise<JsonObject> {
    return this.#chosen?.request(method, params, options) ?? Promise.reject(this.#notOpen());
  }

  subscribe(uri: string): Promise<void> {
    return this.#chosen?.subscribe(uri) ?? Promise.reject(this.#notOpen());
  }

  async unsubscribe(uri: string): Promise<void> {
    await this.#chosen?.unsubscribe(uri);
  }

  setLogLevel(level: LogLevel): void {
    this.#logLevel = level;
    this.#chosen?.setLogLevel(level);
  }

  get hearsChanges(): boolean {
    return this.#chosen?.hearsChanges === true;
  }

  tellOfClient(sessionKey: string, notification: JsonRpcNotification): void {
    this.#chosen?.tellOfClient(sessionKey, notification);
  }

  endSession(sessionKey: string): void {
    this.#chosen?.endSession(sessionKey);
  }

  async close(options?: CloseOptions): Promise<void> {
    await this.#chosen?.close(options);
  }

  async #detect(signal: AbortSignal): Promise<UpstreamFacts> {
    const { clock, prior, sse, streamable } = this.#deps;
    if (prior?.transport === "sse" && isFresh(prior, clock)) {
      try {
        return await this.#open(sse(prior), signal);
      } catch (error) {
        if (!(error instanceof NoSseServerError)) throw error;
      }
    }
    try {
      return await this.#open(streamable(), signal);
    } catch (error) {
      if (error instanceof NotStreamableError) return await this.#fallBack(error, signal);
      throw error;
    }
  }

  async #fallBack(before: GatewayError, signal: AbortSignal): Promise<UpstreamFacts> {
    try {
      return await this.#open(this.#deps.sse(), signal);
    } catch (error) {
      throw error instanceof NoSseServerError ? before : error;
    }
  }

  async #open(link: Link, signal: AbortSignal): Promise<UpstreamFacts> {
    this.#chosen = link;
    if (this.#logLevel !== undefined) link.setLogLevel(this.#logLevel);
    try {
      return await link.open(signal);
    } catch (error) {
      await link.close();
      throw error;
    }
  }

  #notOpen(): GatewayError {
    return closedFailure(this.#deps.key);
  }
}
