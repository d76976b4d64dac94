import { GatewayError, type Monotonic, type Timers } from "@cortex-os/mcp-core";
import {
  isDeeperThan,
  MAX_JSON_DEPTH,
  withMeta,
  type JsonObject,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonRpcResponse,
  type RequestId,
} from "@cortex-os/mcp-core/wire";
import { printable } from "../upstream-text.js";
import { AnswerScan } from "./answer-scan.js";
import { encodeLine, encodeRequest } from "./encode-line.js";
import { classify, type Classified } from "./classify.js";
import { Pending, PendingRequests, type PendingHost } from "./pending-requests.js";
import type { OutgoingRequest, QueuedLine } from "./queued-line.js";
import { Strays, type StraysDeps } from "./strays.js";

/** Hears what comes of one request: progress, then exactly one of answer and failure; nothing once it was cancelled. */
export interface Receiver {
  /** @param bytes length of the line the answer came in */
  onAnswer(answer: JsonRpcResponse, bytes: number): void;
  /** A good answer whose `result` is still as it came, when {@link takesBytes}: one JSON object in UTF-8 and without line breaks. */
  onResult?(result: Buffer): void;
  /** Whether it is given to {@link onResult} whenever that can be had cheaply. @default false */
  readonly takesBytes?: boolean;
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
  /** Silence is as it should be, until what is returned is called: then the limit on it begins anew. The limit on the whole goes on. */
  hold(): () => void;
}

/** What a {@link Channel} works with. */
export interface ChannelOptions extends StraysDeps {
  readonly timers: Timers;
  readonly monotonic: Monotonic;
  /**
   * Sends one line with its newline; `undefined` when the peer does not read and too much waits already.
   *
   * @param request what the line asks; absent for what has no answer
   */
  readonly write: (line: string, request?: OutgoingRequest) => QueuedLine | undefined;
  /** A notification other than progress. */
  readonly onNotification: (notification: JsonRpcNotification) => void;
  /** A request of the peer's other than a ping, which is to be answered by {@link Channel.send}. @param bytes length of the line it came in */
  readonly onRequest: (request: JsonRpcRequest, bytes: number) => void;
}

/**
 * JSON-RPC over one shared pair of streams. Every request gets an id, and if it wants progress a token, that is unique on this channel, so
 * that callers whose own ids collide never get each other's answers (reliability.md, threat 10).
 */
export class Channel {
  readonly #options: ChannelOptions;
  readonly #pending: PendingRequests;
  readonly #strays: Strays;
  readonly #scan = new AnswerScan();
  readonly #host: PendingHost = {
    withdraw: (id, reason) => this.#withdraw(id, reason),
    forget: (id) => void this.#take(id),
    fail: (id, error) => this.#fail(id, error),
    restart: (request) => this.#pending.restart(request),
  };
  /**
   * Whether requests of the peer are answered. In the modern era a client must not write responses, and a server must not write
   * requests (2026-07-28, stdio).
   */
  answersRequests = true;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.#strays = new Strays(options);
    this.#pending = new PendingRequests({
      ...options,
      onExpired: (request, limitMs) => {
        this.#expire(request, limitMs);
      },
    });
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
    const id = this.#pending.nextId();
    const request = new Pending(id, method, receiver, bounds, this.#host);
    const sent = bounds.progress === true ? withMeta(params, { progressToken: id }) : params;
    const line = encodeRequest(id, method, sent);
    request.queued = line === undefined ? undefined : this.#options.write(line, request);
    if (request.queued === undefined)
      receiver.onFailure(line === undefined ? this.#unsendable(method) : this.#notReading());
    else this.#pending.add(request);
    return request;
  }

  /** Sends a message that is no request; dropped when the peer does not read. */
  send(message: object): void {
    const line = encodeLine(message);
    if (line !== undefined) this.#options.write(line);
  }

  /** Sends a notification; dropped when the peer does not read. */
  notify(method: string, params?: JsonObject): void {
    this.send(params === undefined ? { jsonrpc: "2.0", method } : { jsonrpc: "2.0", method, params });
  }

  /** Takes one line of the peer's, as it came. Never throws: what a listener throws is logged. */
  acceptLine(line: Buffer): void {
    const scan = this.#scan;
    if (!scan.read(line)) {
      this.accept(line.toString(), line.length);
      return;
    }
    const request = this.#pending.get(scan.id);
    if (request === undefined) return;
    const { bounds, receiver } = request;
    if (receiver.takesBytes !== true || (bounds.maxDepth ?? MAX_JSON_DEPTH) < MAX_JSON_DEPTH) {
      this.accept(line.toString(), line.length);
      return;
    }
    this.#take(scan.id);
    try {
      receiver.onResult?.(line.subarray(scan.from, scan.to));
    } catch (err) {
      this.#onBug(err);
    }
  }

  /** The same of a line that is text. */
  accept(line: string, bytes: number): void {
    if (line.trim() === "") return;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      this.#strays.note("a line that is not JSON", line);
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
    for (const { id } of this.#pending.all()) this.#fail(id, error);
  }

  #dispatch(value: unknown, line: string, bytes: number): void {
    try {
      this.#handle(classify(value), line, bytes);
    } catch (err) {
      this.#onBug(err);
    }
  }

  #onBug(err: unknown): void {
    const { connectorId, logger } = this.#options;
    logger.error({ connectorId, err }, "Handling a message of the connector failed");
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
        this.#onRequest(classified.message, bytes);
        return;
      case "invalid":
        this.#strays.note(`a malformed message (${classified.reason})`, line);
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
    const entry = this.#pending.get(token);
    if (entry?.bounds.progress !== true) return;
    this.#pending.restart(entry);
    entry.receiver.onProgress(notification.params ?? {});
  }

  #onRequest(request: JsonRpcRequest, bytes: number): void {
    const { id, method } = request;
    const { connectorId, logger, onRequest } = this.#options;
    logger.debug({ connectorId, method: printable(method, 100) }, "Connector sent a request");
    if (!this.answersRequests) return;
    if (method === "ping") this.send({ jsonrpc: "2.0", id, result: {} });
    else onRequest(request, bytes);
  }

  #expire({ id, method, receiver }: Pending, limitMs: number): void {
    this.#withdraw(id, "timeout");
    receiver.onFailure(new GatewayError("UPSTREAM_TIMEOUT", this.#says(`no answer to ${method} within ${limitMs} ms`)));
  }

  #withdraw(id: number, reason: string | undefined): void {
    const request = this.#take(id);
    if (request === undefined || request.queued?.withdraw() === true) return;
    this.notify("notifications/cancelled", reason === undefined ? { requestId: id } : { requestId: id, reason });
  }

  #fail(id: RequestId | undefined, error: GatewayError): void {
    this.#take(id)?.receiver.onFailure(error);
  }

  #take(id: RequestId | undefined): Pending | undefined {
    const request = this.#pending.take(id);
    request?.queued?.settle?.();
    return request;
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
