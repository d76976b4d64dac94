import type { IncomingMessage, ServerResponse } from "node:http";
import { HEADER, type JsonRpcMessage, type JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import { CallScope } from "../call-scope.js";
import type { Answer, Exchange } from "../exchange.js";
import { EventStream, type EventStreamDeps } from "./event-stream.js";
import type { MessageStream } from "./message-stream.js";
import { ResumableStream } from "./resumable-stream.js";
import { sendJson } from "./reply.js";

/** How a response may be used. */
export interface HttpExchangeOptions extends EventStreamDeps {
  /** `false`: answers are plain JSON always, and notifications are dropped. */
  readonly streaming: boolean;
  /** Whether a client that goes away cancels its request: so in the modern era, and not in the legacy one. */
  readonly cancelOnClose: boolean;
  /** Called when the response is out or the client has gone. */
  readonly onClosed: (exchange: HttpExchange) => void;
}

/**
 * One request and its response: plain JSON unless something goes ahead of the answer, or the client names event streams first among
 * what it accepts; then an event stream.
 */
export class HttpExchange implements Exchange {
  readonly scope = new CallScope();
  readonly #res: ServerResponse;
  readonly #options: HttpExchangeOptions;
  readonly #resumable: (() => ResumableStream) | undefined;
  #stream: MessageStream | undefined;

  /** @param resumable opens a stream that outlives its connection */
  constructor(res: ServerResponse, options: HttpExchangeOptions, resumable?: () => ResumableStream) {
    this.#res = res;
    this.#options = options;
    this.#resumable = resumable;
    res.on("close", () => {
      if (options.cancelOnClose && !res.writableFinished) this.scope.cancel();
      options.onClosed(this);
    });
  }

  notify(notification: JsonRpcNotification): void {
    if (!this.scope.cancelled) this.ask(notification);
  }

  ask(message: JsonRpcMessage): boolean {
    const stream = this.#opened();
    stream?.send(message);
    return stream !== undefined;
  }

  disconnect(): void {
    if (this.#resumable === undefined) return;
    const stream = this.#opened();
    if (stream instanceof ResumableStream) stream.disconnect();
  }

  /** Sends the answer. Without one, the request having been cancelled, the response ends with no message for it. */
  finish(answer: Answer | undefined, sessionId?: string): void {
    if (sessionId !== undefined && !this.#res.headersSent) this.#res.setHeader(HEADER.sessionId, sessionId);
    const wanted = answer?.httpStatus === 200 && prefersEvents(this.#res.req);
    const stream = wanted ? this.#opened() : this.#stream;
    if (stream !== undefined) stream.end(answer?.message);
    else if (this.#res.destroyed) return;
    else if (answer !== undefined) sendJson(this.#res, answer.httpStatus, answer.message);
    else new EventStream(this.#res, this.#options).end();
  }

  /** Ends the request because the server stops: with an answer if it has one to give, else by cutting the connection. */
  shutDown(): void {
    if (!this.scope.shutDown()) this.#res.destroy();
  }

  /** The stream of the answer: `undefined` when there is none and can be none any more. */
  #opened(): MessageStream | undefined {
    const lost = this.#res.destroyed && !(this.#stream instanceof ResumableStream);
    if (!this.#options.streaming || lost) return undefined;
    this.#stream ??= this.#resumable?.() ?? new EventStream(this.#res, this.#options);
    return this.#stream;
  }
}

const prefersEvents = ({ headers: { accept = "" } }: IncomingMessage): boolean =>
  /^\s*text\/event-stream\b/i.test(accept);
