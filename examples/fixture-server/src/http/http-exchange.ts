import type { ServerResponse } from "node:http";
import type { JsonRpcMessage, JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import { CallScope } from "../call-scope.js";
import type { Answer, Exchange } from "../exchange.js";
import { EventStream, type EventStreamDeps } from "./event-stream.js";
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

/** One request and its response: plain JSON unless a notification goes ahead of the answer, then an event stream. */
export class HttpExchange implements Exchange {
  readonly scope = new CallScope();
  readonly #res: ServerResponse;
  readonly #options: HttpExchangeOptions;
  #stream: EventStream | undefined;

  constructor(res: ServerResponse, options: HttpExchangeOptions) {
    this.#res = res;
    this.#options = options;
    res.on("close", () => {
      if (options.cancelOnClose && !res.writableFinished) this.scope.cancel();
      options.onClosed(this);
    });
  }

  notify(notification: JsonRpcNotification): void {
    if (!this.scope.cancelled) this.ask(notification);
  }

  ask(message: JsonRpcMessage): boolean {
    if (!this.#options.streaming || this.#res.destroyed) return false;
    this.#stream ??= new EventStream(this.#res, this.#options);
    this.#stream.send(message);
    return true;
  }

  /** Sends the answer. Without one, the request having been cancelled, the response ends with no message for it. */
  finish(answer: Answer | undefined, sessionId?: string): void {
    if (this.#res.destroyed) return;
    if (this.#stream !== undefined) this.#stream.end(answer?.message);
    else if (answer !== undefined) sendJson(this.#res, answer.httpStatus, answer.message, sessionId);
    else new EventStream(this.#res, this.#options).end();
  }

  /** Ends the request because the server stops: with an answer if it has one to give, else by cutting the connection. */
  shutDown(): void {
    if (!this.scope.shutDown()) this.#res.destroy();
  }
}
