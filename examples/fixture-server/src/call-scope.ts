/**
 * The lifetime of one request, seen from its handler.
 *
 * The signal is made on first use: most calls are over before anybody could cancel them, and an `AbortController` is
 * a visible part of what such a call costs.
 */
export class CallScope {
  #controller: AbortController | undefined;
  #cancelled = false;
  #onShutDown: (() => void) | undefined;

  /** Whether the client has given the request up: from then on no message of it may be sent. */
  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** Aborts when the request is cancelled. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#cancelled) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  /** May be called twice. */
  cancel(): void {
    this.#cancelled = true;
    this.#controller?.abort();
  }

  /** Lets a handler that never ends by itself end with an answer when the server stops. */
  onShutDown(task: () => void): void {
    this.#onShutDown = task;
  }

  /**
   * Ends the request because the server stops.
   * @returns whether an answer follows; otherwise the request is cancelled
   */
  shutDown(): boolean {
    if (this.#cancelled || this.#onShutDown === undefined) {
      this.cancel();
      return false;
    }
    this.#onShutDown();
    return true;
  }
}
