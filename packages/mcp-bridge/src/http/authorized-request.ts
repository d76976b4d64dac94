import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import type { UpstreamAuthorization } from "./upstream-authorization.js";

/** How often one request is sent again: once for a token, once for more scopes. */
const MOST_TIMES_AGAIN = 2;
/** Most of a refusal's body that is waited for, in bytes. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/** Sends requests with an `authorization`. */
export interface AuthorizedSender<R> {
  send(request: R, authorization: string | undefined, handler: Dispatcher.DispatchHandler): void;
}

/**
 * One request to an upstream that may want authorization: stands between undici and whoever reads the answer, and keeps from him the refusals after which the
 * request is sent again. It is all that a request costs more whose upstream never refuses: nothing else is made before a refusal.
 */
export class AuthorizedRequest<R> implements Dispatcher.DispatchHandler {
  readonly #authorization: UpstreamAuthorization;
  readonly #sender: AuthorizedSender<R>;
  readonly #request: R;
  readonly #reader: Dispatcher.DispatchHandler;
  #sent: string | undefined;
  #timesAgain = 0;
  /** What a refused request waits for: its answer's end, and the authorization. */
  #waitsFor = 0;
  #refusalBytes = 0;
  #failure: Error | undefined;
  #controller: Dispatcher.DispatchController | undefined;

  constructor(
    authorization: UpstreamAuthorization,
    sender: AuthorizedSender<R>,
    request: R,
    reader: Dispatcher.DispatchHandler,
  ) {
    this.#authorization = authorization;
    this.#sender = sender;
    this.#request = request;
    this.#reader = reader;
  }

  send(): void {
    this.#sent = this.#authorization.header();
    this.#sender.send(this.#request, this.#sent, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#controller = controller;
    this.#reader.onRequestStart?.(controller, context);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    statusMessage?: string,
  ): void {
    if (this.#timesAgain < MOST_TIMES_AGAIN && (status === 401 || status === 403)) {
      const sent = this.#sent;
      const isAgain = this.#timesAgain > 0;
      const waiting = this.#authorization.refused({ status, challenge: headers["www-authenticate"], sent, isAgain });
      if (waiting !== undefined) {
        this.#waitFor(waiting);
        return;
      }
    }
    this.#reader.onResponseStart?.(controller, status, headers, statusMessage);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#waitsFor === 0) {
      this.#reader.onResponseData?.(controller, chunk);
      return;
    }
    this.#refusalBytes += chunk.length;
    if (this.#refusalBytes > MAX_REFUSAL_BYTES) controller.abort(new Error("the refusal is longer than it is read"));
  }

  onResponseEnd(controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    if (this.#waitsFor === 0) this.#reader.onResponseEnd?.(controller, trailers);
    else this.#arrived(controller);
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#waitsFor === 0) this.#reader.onResponseError?.(controller, error);
    else this.#arrived(controller);
  }

  #waitFor(waiting: Promise<void>): void {
    this.#timesAgain += 1;
    this.#waitsFor = 2;
    this.#refusalBytes = 0;
    const controller = this.#controller;
    waiting.then(
      () => this.#decided(controller),
      (error: unknown) => {
        this.#failure = error instanceof Error ? error : new Error("no authorization");
        this.#decided(controller);
      },
    );
  }

  /** What is known is known: a body that has not ended by now costs its connection and no time. */
  #decided(controller: Dispatcher.DispatchController | undefined): void {
    this.#arrived(controller);
    if (this.#waitsFor > 0) controller?.abort(new Error("nobody reads the rest of the refusal"));
  }

  #arrived(controller: Dispatcher.DispatchController | undefined): void {
    this.#waitsFor -= 1;
    if (this.#waitsFor > 0) return;
    if (this.#failure === undefined) this.send();
    else if (controller !== undefined) this.#reader.onResponseError?.(controller, this.#failure);
  }
}
