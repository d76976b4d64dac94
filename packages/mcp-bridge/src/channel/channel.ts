import { GatewayError, type Logger, type Timers } from "@cortex-os/mcp-core";
import {
  isDeeperThan,
  withMeta,
  type JsonObject,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonRpcResponse,
  type RequestId,
} from "@cortex-os/mcp-core/wire";
import { printable } from "../upstream-text.js";
import { classify, type Classified } from "./classify.js";
import type { OutgoingRequest, QueuedLine } from "./queued-line.js";

/** Hears what comes of one request: progress, then exactly one of answer and failure; nothing once it was cancelled. */
export interface Receiver {
  /** @param bytes length of the line the answer came in */
  onAnswer(answer: JsonRpcResponse, bytes: number): void;
  /** The params of a progress notification, the token still being the channel's. */
  onProgress(params: JsonObject): void;
  /** A failure of ours: no answer came in time, or none can come. */
  onFailure(error: GatewayError): void;
}

/** Bounds of one request; what is left out is unbounded. */
export interface RequestBounds {
  /** How long to wait for an answer or for progress, in milliseconds. */
  readonly idleMs?: number;
  /** How long to wait altogether, in milliseconds. */
  readonly maxMs?: number;
  /** Deepest nesting of a result. */
  readonly maxDepth?: number;
  /** Ask for progress, under a token of the channel's own. */
  readonly progress?: boolean;
}

/** A request under way. */
export interface PendingRequest {
  /** What the upstream knows it by. */
  readonly id: number;
  /** Tells the upstream to stop, unless it has not heard of the request yet. Does nothing once answered. */
  cancel(reason?: string): void;
  /** Expects no answer any more and tells nobody. */
  forget(): void;
}

/** What a {@link Channel} works with. */
export interface ChannelOptions {
  /** The connector's key, for messages and log lines. */
  readonly connectorId: string;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Applied to upstream text before it is logged. */
  readonly redact: (text: string) => string;
  /** What the peer writes to, for log lines: "stdout". */
  readonly output: string;
  /**
   * Sends one line with its newline; `undefined` when the peer does not read and too much waits already.
   *
   * @param request what the line asks; absent for what has no answer
   */
  readonly write: (line: string, request?: OutgoingRequest) => QueuedLine | undefined;
  /** A notification other than progress. */
  readonly onNotification: (notification: JsonRpcNotification) => void;
}

/** So many stray lines are logged, then no more: many servers print banners, some print for ever. */
const LOGGED_STRAYS = 5;

interface Entry {
  readonly method: string;
  readonly receiver: Receiver;
  readonly bounds: RequestBounds;
  queued: QueuedLine | undefined;
  cancelIdle: (() => void) | undefined;
  cancelMax: (() => void) | undefined;
}

/**
 * JSON-RPC over one shared pair of streams. Every request gets an id, and if it wants progress a token, that is unique on this channel, so
 * that callers whose own ids collide never get each other's answers (reliability.md, threat 10).
 */
export class Channel {
  readonly #options: ChannelOptions;
  readonly #pending = new Map<RequestId, Entry>();
  #lastId = 0;
  #strays = 0;
  /**
   * Whether requests of the peer are answered. In the modern era a client must not write responses, and a server must not write
   * requests (2026-07-28, stdio).
   */
  answersRequests = true;

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  /** The connector's key. */
  get connectorId(): string {
    return this.#options.connectorId;
  }

  /** How many requests wait for an answer. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Sends a request. Failures go to the receiver, also those of sending, which it hears before this returns. */
  request(method: string, params: JsonObject, receiver: Receiver, bounds: RequestBounds = {}): PendingRequest {
    const id = ++this.#lastId;
    const entry: Entry = { method, receiver, bounds, queued: undefined, cancelIdle: undefined, cancelMax: undefined };
    const sent = bounds.progress === true ? withMeta(params, { progressToken: id }) : params;
    const line = encode({ jsonrpc: "2.0", id, method, params: sent });
    const outgoing: OutgoingRequest = { method, fail: (error) => this.#fail(id, error) };
    entry.queued = line === undefined ? undefined : this.#options.write(line, outgoing);
    if (entry.queued === undefined) {
      const failure = line === undefined ? this.#unsendable(method) : this.#notReading();
      receiver.onFailure(failure);
      return { id, cancel: () => {}, forget: () => {} };
    }
    this.#pending.set(id, entry);
    this.#armIdle(id, entry);
    if (bounds.maxMs !== undefined) entry.cancelMax = this.#expireAfter(bounds.maxMs, id, entry);
    return {
      id,
      cancel: (reason) => this.#withdraw(id, reason),
      forget: () => void this.#take(id),
    };
  }

  /** Sends a notification; dropped when the peer does not read. */
  notify(method: string, params?: JsonObject): void {
    this.#write(params === undefined ? { jsonrpc: "2.0", method } : { jsonrpc: "2.0", method, params });
  }

  /** Takes one line of the peer's. Never throws: what a listener throws is logged. */
  accept(line: string, bytes: number): void {
    if (line.trim() === "") return;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      this.#stray("a line that is not JSON", line);
      return;
    }
    // Revision 2025-03-26 had batches, and said that receivers must take them.
    const messages: readonly unknown[] = Array.isArray(value) ? value : [value];
    for (const message of messages) {
      this.#dispatch(message, line, bytes);
    }
  }

  /** Every request under way fails with `error`. */
  failAll(error: GatewayError): void {
    for (const id of [...this.#pending.keys()]) this.#fail(id, error);
  }

  #dispatch(value: unknown, line: string, bytes: number): void {
    try {
      this.#handle(classify(value), line, bytes);
    } catch (err) {
      const { connectorId, logger } = this.#options;
      logger.error({ connectorId, err }, "Handling a message of the connector failed");
    }
  }

  #handle(classified: Classified, line: string, bytes: number): void {
    switch (classified.kind) {
      case "response":
        this.#onResponse(classified.message, bytes);
        return;
      case "notification":
        this.#onNotification(classified.message);
        return;
      case "request":
        this.#onRequest(classified.message);
        return;
      case "invalid":
        this.#stray(`a malformed message (${classified.reason})`, line);
        this.#fail(
          classified.answers,
          new GatewayError("UPSTREAM_PROTOCOL", this.#says(`malformed answer: ${classified.reason}`)),
        );
    }
  }

  #onResponse(response: JsonRpcResponse, bytes: number): void {
    const entry = this.#take(response.id);
    if (entry === undefined) return;
    const { maxDepth } = entry.bounds;
    if (maxDepth === undefined || !("result" in response) || !isDeeperThan(response.result, maxDepth)) {
      entry.receiver.onAnswer(response, bytes);
      return;
    }
    const what = `its answer to ${entry.method} is nested deeper than ${maxDepth} levels`;
    entry.receiver.onFailure(new GatewayError("UPSTREAM_PROTOCOL", this.#says(what)));
  }

  #onNotification(notification: JsonRpcNotification): void {
    if (notification.method !== "notifications/progress") {
      this.#options.onNotification(notification);
      return;
    }
    const token = notification.params?.["progressToken"];
    const entry = typeof token === "number" ? this.#pending.get(token) : undefined;
    if (typeof token !== "number" || entry?.bounds.progress !== true) return;
    this.#armIdle(token, entry);
    entry.receiver.onProgress(notification.params ?? {});
  }

  #onRequest({ id, method }: JsonRpcRequest): void {
    const { connectorId, logger } = this.#options;
    logger.debug({ connectorId, method: printable(method, 100) }, "Connector sent a request");
    if (!this.answersRequests) return;
    if (method === "ping") this.#write({ jsonrpc: "2.0", id, result: {} });
    // Nothing was offered in `initialize`, so nothing but a ping may be asked of us.
    else this.#write({ jsonrpc: "2.0", id, error: { code: -32_601, message: "Method not found" } });
  }

  #write(message: object): void {
    const line = encode(message);
    if (line !== undefined) this.#options.write(line);
  }

  #armIdle(id: number, entry: Entry): void {
    const { idleMs } = entry.bounds;
    if (idleMs === undefined) return;
    entry.cancelIdle?.();
    entry.cancelIdle = this.#expireAfter(idleMs, id, entry);
  }

  #expireAfter(ms: number, id: number, { method, receiver }: Entry): () => void {
    return this.#options.timers.after(ms, () => {
      this.#withdraw(id, "timeout");
      receiver.onFailure(new GatewayError("UPSTREAM_TIMEOUT", this.#says(`no answer to ${method} within ${ms} ms`)));
    });
  }

  #withdraw(id: number, reason: string | undefined): void {
    const entry = this.#take(id);
    if (entry === undefined || entry.queued?.withdraw() === true) return;
    this.notify("notifications/cancelled", reason === undefined ? { requestId: id } : { requestId: id, reason });
  }

  #fail(id: RequestId | undefined, error: GatewayError): void {
    this.#take(id)?.receiver.onFailure(error);
  }

  #take(id: RequestId | undefined): Entry | undefined {
    const entry = id === undefined ? undefined : this.#pending.get(id);
    if (id === undefined || entry === undefined) return undefined;
    this.#pending.delete(id);
    entry.cancelIdle?.();
    entry.cancelMax?.();
    entry.queued?.settle?.();
    return entry;
  }

  #stray(what: string, text: string): void {
    this.#strays += 1;
    if (this.#strays > LOGGED_STRAYS) return;
    const { connectorId, logger, output, redact } = this.#options;
    const last = this.#strays === LOGGED_STRAYS ? "; further ones are not logged" : "";
    logger.warn(
      { connectorId, text: printable(redact(text.slice(0, 2_000))) },
      `Connector wrote ${what} to ${output}${last}`,
    );
  }

  #says(what: string): string {
    return `Connector ${JSON.stringify(this.#options.connectorId)}: ${what}`;
  }

  #unsendable(method: string): GatewayError {
    return new GatewayError(
      "INVALID_REQUEST",
      this.#says(`the params of ${method} cannot be encoded: they nest too deeply`),
    );
  }

  #notReading(): GatewayError {
    return new GatewayError(
      "UPSTREAM_LIMIT",
      this.#says("it does not read its input, and too many requests wait already"),
    );
  }
}

function encode(message: object): string | undefined {
  try {
    return `${JSON.stringify(message)}\n`;
  } catch {
    return undefined;
  }
}
