import { allHeaders, type RawHeaders, type ResponseReader } from "./response-reader.js";
import type { UpstreamAuthorization } from "./upstream-authorization.js";

/** How often one request is sent again: once for a token, once for more scopes. */
const MOST_TIMES_AGAIN = 2;
/** Most of a refusal's body that is waited for, in bytes. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/** Sends requests with an `authorization`. */
export interface AuthorizedSender<R> {
  send(request: R, authorization: string | undefined, reader: ResponseReader): void;
}

/**
 * One request to an upstream that may want authorization: stands between undici and whoever reads the answer, and keeps from him the refusals after which the
 * request is sent again. It is all that a request costs more whose upstream never refuses: nothing else is made before a refusal.
 */
export class AuthorizedRequest<R> implements ResponseReader {
  readonly #authorization: UpstreamAuthorization;
  readonly #sender: AuthorizedSender<R>;
  readonly #request: R;
  readonly #reader: ResponseReader;
  #sent: string | undefined;
  #timesAgain = 0;
  /** What a refused request waits for: its answer's end, and the authorization. */
  #waitsFor = 0;
  #refusalBytes = 0;
  #failure: Error | undefined;
  #abort: ((reason?: Error) => void) | undefined;

  constructor(authorization: UpstreamAuthorization, sender: AuthorizedSender<R>, request: R, reader: ResponseReader) {
    this.#authorization = authorization;
    this.#sender = sender;
    this.#request = request;
    this.#reader = reader;
  }

  send(): void {
    this.#sent = this.#authorization.header();
    this.#sender.send(this.#request, this.#sent, this);
  }

  onConnect(abort: (reason?: Error) => void): void {
    this.#abort = abort;
    this.#reader.onConnect(abort);
  }

  onHeaders(status: number, headers: RawHeaders, resume: () => void): boolean {
    if (this.#timesAgain < MOST_TIMES_AGAIN && (status === 401 || status === 403)) {
      const sent = this.#sent;
      const isAgain = this.#timesAgain > 0;
      const challenge = allHeaders(headers)["www-authenticate"];
      const waiting = this.#authorization.refused({ status, challenge, sent, isAgain });
      if (waiting !== undefined) {
        this.#waitFor(waiting);
        return true;
      }
    }
    return this.#reader.onHeaders(status, headers, resume);
  }

  onData(chunk: Buffer): boolean {
    if (this.#waitsFor === 0) return this.#reader.onData(chunk);
    this.#refusalBytes += chunk.length;
    if (this.#refusalBytes > MAX_REFUSAL_BYTES) this.#abort?.(new Error("the refusal is longer than it is read"));
    return true;
  }

  onComplete(): void {
    if (this.#waitsFor === 0) this.#reader.onComplete();
    else this.#arrived();
  }

  onError(error: Error): void {
    if (this.#waitsFor === 0) this.#reader.onError(error);
    else this.#arrived();
  }

  #waitFor(waiting: Promise<void>): void {
    this.#timesAgain += 1;
    this.#waitsFor = 2;
    this.#refusalBytes = 0;
    waiting.then(
      () => this.#decided(),
      (error: unknown) => {
        this.#failure = error instanceof Error ? error : new Error("no authorization");
        this.#decided();
      },
    );
  }

  /** What is known is known: a body that has not ended by now costs its connection and no time. */
  #decided(): void {
    this.#arrived();
    if (this.#waitsFor > 0) this.#abort?.(new Error("nobody reads the rest of the refusal"));
  }

  #arrived(): void {
    this.#waitsFor -= 1;
    if (this.#waitsFor > 0) return;
    if (this.#failure === undefined) this.send();
    else this.#reader.onError(this.#failure);
  }
}
