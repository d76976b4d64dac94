import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import type { UpstreamAuthorization } from "./upstream-authorization.js";

/** How often one request is sent again: once for a token, once for more scopes. */
const MOST_TIMES_AGAIN = 2;
/** Most of a refusal's body that is waited for, in bytes. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/** Sends the request with this `authorization`. */
export type SendAuthorized = (authorization: string | undefined, handler: Dispatcher.DispatchHandler) => void;

/**
 * One request to an upstream that may want authorization: stands between undici and whoever reads the answer, and keeps from him the refusals after which the
 * request is sent again.
 */
export class AuthorizedRequest implements Dispatcher.DispatchHandler {
  readonly #authorization: UpstreamAuthorization;
  readonly #send: SendAuthorized;
  readonly #reader: Dispatcher.DispatchHandler;
  #sent: string | undefined;
  #timesAgain = 0;
  /** What a refused request waits for: its answer's end, and the authorization. */
  #waitsFor = 0;
  #refusalBytes = 0;
  #failure: Error | undefined;
  #controller: Dispatcher.DispatchController | undefined;

  constructor(authorization: UpstreamAuthorization, send: SendAuthorized, reader: Dispatcher.DispatchHandler) {
    this.#authorization = authorization;
    this.#send = send;
    this.#reader = reader;
  }

  send(): void {
    this.#sent = this.#authorization.header();
    this.#send(this.#sent, this);
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
      const waiting = this.#authorization.refused({ status, challenge: headers["www-authenticate"], sent });
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
      () => this.#arrived(controller),
      (error: unknown) => {
        this.#failure = error instanceof Error ? error : new Error("no authorization");
        this.#arrived(controller);
      },
    );
  }

  #arrived(controller: Dispatcher.DispatchController | undefined): void {
    this.#waitsFor -= 1;
    if (this.#waitsFor > 0) return;
    if (this.#failure === undefined) this.send();
    else if (controller !== undefined) this.#reader.onResponseError?.(controller, this.#failure);
  }
}
