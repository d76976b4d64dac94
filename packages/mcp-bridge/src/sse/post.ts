import type { GatewayError, Timers } from "@cortex-os/mcp-core";
import type { QueuedLine } from "../channel/queued-line.js";
import { connectionFailure } from "../http/failures.js";
import type { HttpRequest, HttpUpstream } from "../http/http-upstream.js";
import type { ResponseReader } from "../http/response-reader.js";

/** Most of a response that is read, in bytes: what counts is its status. */
const MAX_BYTES = 16 * 1024;
/** How long the response may take after the request in the POST was answered: its socket is worth more than a moment of waiting. */
const LINGER_MS = 1_000;

/** What became of a POST. */
export type PostOutcome =
  | { readonly kind: "accepted" }
  | { readonly kind: "refused"; readonly status: number; readonly text: string }
  /** No response. */
  | { readonly kind: "broken"; readonly error: GatewayError };

/** What a {@link Post} works with. */
export interface PostDeps {
  readonly upstream: HttpUpstream;
  readonly timers: Timers;
  /** Called once, unless it was withdrawn or dropped before. */
  onOutcome(outcome: PostOutcome): void;
  /** Nothing of it is left. */
  onEnd(): void;
}

/**
 * One message on its way to an HTTP+SSE server. Any success means that it was accepted, and whatever else the response says is not read: answers
 * come on the stream. Many servers respond only when they have carried the request out.
 */
export class Post implements QueuedLine, ResponseReader {
  readonly #deps: PostDeps;
  readonly #refusal: Buffer[] = [];
  #abort: ((reason?: Error) => void) | undefined;
  #status = 0;
  #bytes = 0;
  #phase: "waiting" | "sent" | "accepted" | "over" = "waiting";
  #stopWaiting: () => void = () => {};

  constructor(deps: PostDeps) {
    this.#deps = deps;
  }

  send(request: HttpRequest): void {
    this.#deps.upstream.dispatch(request, this);
  }

  withdraw(): boolean {
    const unsent = this.#phase === "waiting";
    this.drop();
    return unsent;
  }

  settle(): void {
    this.dropAfter(LINGER_MS);
  }

  /** Ends it when it has not ended by itself after so many milliseconds. */
  dropAfter(ms: number): void {
    if (this.#phase === "over") return;
    this.#stopWaiting();
    this.#stopWaiting = this.#deps.timers.after(ms, () => this.drop());
  }

  /** Ends it, whatever became of it. Idempotent. */
  drop(): void {
    if (this.#phase === "over") return;
    this.#end();
    this.#abort?.(new Error("the message needs no response any more"));
  }

  onConnect(abort: (reason?: Error) => void): void {
    this.#abort = abort;
    if (this.#phase === "over") abort(new Error("the message was withdrawn"));
    else this.#phase = "sent";
  }

  onHeaders(status: number): true {
    if (status < 200 || this.#phase === "over") return true;
    this.#status = status;
    if (status >= 300) return true;
    this.#phase = "accepted";
    this.#deps.onOutcome({ kind: "accepted" });
    return true;
  }

  onData(chunk: Buffer): true {
    if (this.#phase === "over") return true;
    this.#bytes += chunk.length;
    if (this.#phase !== "accepted") this.#refusal.push(chunk);
    if (this.#bytes <= MAX_BYTES) return true;
    this.#responded();
    this.#abort?.(new Error("the response is longer than it is read"));
    return true;
  }

  onComplete(): void {
    this.#responded();
  }

  onError(error: Error): void {
    const phase = this.#phase;
    this.#end();
    if (phase !== "waiting" && phase !== "sent") return;
    this.#deps.onOutcome({
      kind: "broken",
      error: connectionFailure(this.#deps.upstream.key, error, phase === "sent"),
    });
  }

  #responded(): void {
    const phase = this.#phase;
    this.#end();
    if (phase !== "sent") return;
    const text = Buffer.concat(this.#refusal).toString("utf8", 0, MAX_BYTES);
    this.#deps.onOutcome({ kind: "refused", status: this.#status, text });
  }

  #end(): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#stopWaiting();
    this.#deps.onEnd();
  }
}
