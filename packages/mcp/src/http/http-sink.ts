import type { ServerResponse } from "node:http";
import type { Exchange } from "@cortex-os/mcp-bridge";
import { GatewayError, modernHttpStatus, toJsonRpcError, type Roster, type Timers } from "@cortex-os/mcp-core";
import {
  encodeSseMessage,
  type Era,
  type JsonRpcNotification,
  type JsonRpcResponse,
  type RequestId,
} from "@cortex-os/mcp-core/wire";
import type { PackedResult } from "../connectors/upstream.js";
import type { MessageToClient } from "../gateway/client-questions.js";
import type { ClientSink } from "../gateway/client-sink.js";
import { FIXED_STATUS, tooDeep } from "./answer-errors.js";
import { endWithResult } from "./end-with-result.js";
import type { ClientStream, StreamOwner } from "./client-stream.js";
import { mayEndAnywhere, sendFirstBytes, type PassedHead } from "./first-bytes.js";
import { HeldJson, MAX_HELD_BYTES } from "./held-json.js";
import type { Unanswered } from "./open-answers.js";
import { prefersEventStream } from "./prefers-event-stream.js";
import type { SessionStreams } from "./session-streams.js";
import { cutOffWhenStalled } from "./slow-reader.js";
import { SseResponse, type SseDeps } from "./sse-response.js";

/** A way out for whole events. */
type EventOutput = Pick<SseResponse, "send" | "pass" | "end">;

/** What every sink of one HTTP front shares. */
export interface HttpSinkDeps extends SseDeps {
  readonly timers: Timers;
  /** A reader that takes nothing for so many milliseconds is cut off. */
  readonly slowReaderMs: number;
  /** Every sink is in it until it is done. */
  readonly unanswered?: Roster<Unanswered>;
}

/**
 * The answer to one POST. JSON when the answer comes first, server-sent events as soon as something comes before it or when the client prefers them,
 * the upstream's own bytes when it has them. Once it is answered, given up or cancelled, whatever else comes is dropped.
 */
export class HttpSink implements ClientSink, Unanswered {
  readonly #response: ServerResponse;
  readonly #id: RequestId;
  readonly #era: Era;
  readonly #deps: HttpSinkDeps;
  readonly #onDone: (() => void) | undefined;
  /** The session's streams, when the client has a session: then what becomes an event stream can be gone on with after the connection broke. */
  readonly #streams: SessionStreams | undefined;
  #stream: EventOutput | undefined;
  #resumable: ClientStream | undefined;
  /** The upstream's headers, once its bytes are passed on. */
  #passedOn: PassedHead | undefined;
  /** The upstream's JSON, when its client was promised an event stream meanwhile. */
  #json: HeldJson | undefined;
  #exchange: Exchange | undefined;
  #done = false;
  #blocked = false;
  /** The upstream's status, until its headers are sent together with the first of its bytes. */
  #status: number | undefined;
  #cancelSlow: (() => void) | undefined;
  #cancelLimit: (() => void) | undefined;

  /**
   * @param onDone called once, when the answer is complete, given up or cancelled
   * @param streams those of the client's session
   */
  constructor(
    response: ServerResponse,
    id: RequestId,
    era: Era,
    deps: HttpSinkDeps,
    onDone?: () => void,
    streams?: SessionStreams,
  ) {
    this.#response = response;
    this.#id = id;
    this.#era = era;
    this.#deps = deps;
    this.#onDone = onDone;
    this.#streams = streams;
    const limitMs = streams?.maxConnectionMs;
    if (limitMs !== undefined) this.#cancelLimit = deps.timers.after(limitMs, () => this.pollLater());
    response.on("close", this.#onClose);
    deps.unanswered?.add(this);
  }

  /** Ties the sink to what it answers: a client that goes cancels it, one that catches up resumes it. */
  attach(exchange: Exchange): void {
    this.#exchange = exchange;
    if (!this.#response.destroyed || this.#done) return;
    this.#onClose();
  }

  /** The client cancelled by a message: the answer ends without a response, as the legacy revisions ask. */
  cancel(reason?: string): void {
    if (this.#done) return;
    this.#exchange?.cancel(reason);
    this.#finish();
    if (this.#stream !== undefined) this.#stream.end();
    else if (!this.#response.headersSent) this.#response.writeHead(200, { "content-type": "text/event-stream" }).end();
    else if (this.#passedOn === undefined || mayEndAnywhere(this.#passedOn)) this.#response.end();
    // Half a JSON text, or less than its content-length says: only a broken connection tells the client so.
    else this.#response.destroy();
  }

  shutDown(error: GatewayError): void {
    if (this.#done) return;
    // First: what was asked beside the answer is taken back on its stream.
    this.#exchange?.cancel(error.message);
    if (this.#passedOn === undefined) this.fail(error);
    else if (mayEndAnywhere(this.#passedOn)) {
      this.#finish();
      // The upstream's stream is passed on in whole events: one more may follow.
      this.#response.end(encodeSseMessage(this.#errorAnswer(error)));
    } else this.abort(error);
  }

  start(status: number, headers: Readonly<Record<string, string>>): void {
    if (this.#done) return;
    if (this.#streams !== undefined && mayEndAnywhere(headers)) {
      this.#begin();
      return;
    }
    if (this.#stream !== undefined) {
      this.#json = new HeldJson();
      return;
    }
    this.#passedOn = headers;
    if (headers["content-length"] === undefined) this.#response.writeHead(status, headers);
    else this.#status = status;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#json !== undefined) return this.#hold(chunk, this.#json);
    if (this.#stream !== undefined) return this.#done || this.#stream.pass(chunk);
    const status = this.#status;
    this.#status = undefined;
    if (this.#done) return true;
    if (status !== undefined && sendFirstBytes(this.#response, status, this.#passedOn, chunk)) return true;
    if (this.#response.write(chunk)) return true;
    if (this.#blocked) return false;
    this.#blocked = true;
    this.#cancelSlow = this.#deps.timers.after(this.#deps.slowReaderMs, () => this.#response.destroy());
    this.#response.once("drain", () => {
      this.#blocked = false;
      this.#cancelSlow?.();
      this.#exchange?.resume();
    });
    return false;
  }

  end(): void {
    if (this.#done) return;
    if (this.#json !== undefined) this.#stream?.pass(this.#json.event());
    this.#finish();
    if (this.#status !== undefined) this.#response.writeHead(this.#status, this.#passedOn);
    (this.#stream ?? this.#response).end();
  }

  pollLater(delayMs?: number, ask?: () => void): void {
    if (this.#done || this.#passedOn !== undefined || this.#streams?.canBeSentAway !== true) return;
    this.#begin();
    this.#resumable?.sendAway(delayMs, ask);
  }

  notify(notification: JsonRpcNotification): void {
    this.tell(notification);
  }

  tell(message: MessageToClient): boolean {
    // In bytes of an upstream's that are passed on as they come there is no room.
    return !this.#done && this.#passedOn === undefined && this.#begin().send(message);
  }

  respond(response: JsonRpcResponse): void {
    const fixed = this.#era === "modern" && "error" in response ? FIXED_STATUS.get(response.error.code) : undefined;
    this.#send(fixed ?? 200, response);
  }

  fail(error: GatewayError): void {
    this.failWith(this.#era === "modern" ? modernHttpStatus(error) : 200, error);
  }

  /** Answers with an error of ours under a given HTTP status. */
  failWith(status: number, error: GatewayError): void {
    this.#send(status, this.#errorAnswer(error));
  }

  abort(error: GatewayError): void {
    if (this.#done) return;
    // Nothing of what is held was sent: the failure can be.
    if (this.#json !== undefined) {
      this.fail(error);
      return;
    }
    this.#finish();
    // Half an answer must not look like a whole one: the connection breaks.
    this.#response.destroy();
  }

  sendResult(id: RequestId, result: readonly Buffer[], packed?: PackedResult): void {
    if (this.#done) return;
    this.#finish();
    const head = Buffer.from(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`);
    if (this.#stream !== undefined || this.#prefersEvents()) {
      const stream = this.#begin();
      stream.pass(Buffer.concat([DATA, head, ...result, DATA_END]));
      stream.end();
      return;
    }
    endWithResult(this.#response, head, result, packed);
    cutOffWhenStalled(this.#response, this.#deps.slowReaderMs);
  }

  #send(status: number, message: JsonRpcResponse): void {
    if (this.#done) return;
    this.#finish();
    if (status === 200 && this.#prefersEvents()) this.#begin();
    if (this.#stream !== undefined) {
      if (!this.#stream.send(message)) this.#stream.send(this.#errorAnswer(tooDeep()));
      this.#stream.end();
      return;
    }
    const body = Buffer.from(this.#encode(message));
    this.#response.writeHead(status, { "content-type": "application/json", "content-length": body.length });
    this.#response.end(body);
    cutOffWhenStalled(this.#response, this.#deps.slowReaderMs);
  }

  /** From now on, if not already, the answer is an event stream. */
  #begin(): EventOutput {
    if (this.#stream !== undefined) return this.#stream;
    this.#resumable = this.#streams?.begin(this.#response, this.#owner());
    this.#stream = this.#resumable ?? new SseResponse(this.#response, this.#deps);
    return this.#stream;
  }

  #owner(): StreamOwner {
    return {
      resume: () => {
        this.#exchange?.resume();
      },
      giveUp: (reason) => {
        if (this.#done) return;
        this.#finish();
        this.#exchange?.cancel(reason);
      },
    };
  }

  #hold(chunk: Uint8Array, json: HeldJson): true {
    const message = `The answer is larger than the ${MAX_HELD_BYTES} bytes that one event may have`;
    if (!this.#done && !json.push(chunk)) this.shutDown(new GatewayError("UPSTREAM_LIMIT", message));
    return true;
  }

  #prefersEvents(): boolean {
    return prefersEventStream(this.#response.req.headers.accept);
  }

  #encode(message: JsonRpcResponse): string {
    try {
      return JSON.stringify(message);
    } catch {
      return JSON.stringify(this.#errorAnswer(tooDeep()));
    }
  }

  #errorAnswer(error: GatewayError): JsonRpcResponse {
    return { jsonrpc: "2.0", id: this.#id, error: toJsonRpcError(error) };
  }

  readonly #onClose = (): void => {
    this.#cancelSlow?.();
    this.#cancelLimit?.();
    // A stream of a session looks after its connections itself.
    if (this.#done || this.#resumable !== undefined) return;
    this.#finish();
    // No other way leads back to this client: what it asked for has nowhere to go (design.md, call flow).
    this.#exchange?.cancel("the client disconnected");
  };

  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.#json?.clear();
    this.#cancelLimit?.();
    this.#deps.unanswered?.delete(this);
    this.#onDone?.();
  }
}

/** An event around a result whose bytes are ready. */
const DATA = Buffer.from("event: message\ndata: ");
const DATA_END = Buffer.from("}\n\n");
