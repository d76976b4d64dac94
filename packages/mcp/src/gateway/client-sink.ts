import type { Exchange } from "@cortex-os/mcp-bridge";
import type { ReadySink } from "../connectors/upstream.js";
import type { MessageToClient } from "./client-questions.js";
import type { Defer } from "./scope.js";

/** Where the answer to a client's request goes, whoever gives it: an upstream or the gateway itself. Who the client is, it does not know. */
export interface ClientSink extends Omit<ReadySink, "ask"> {
  /** Sends a message beside the answer, also when bytes of the upstream's are passed on. @returns false when there is no way to do that (any more) */
  tell(message: MessageToClient): boolean;
}

/** Begins now, or when what has to be waited for has come about. */
export function afterwards(wait: Defer | undefined, begin: () => Exchange): Exchange {
  return wait === undefined ? begin() : new DeferredExchange(wait, begin);
}

/** An exchange that begins later, or never when it is cancelled first. */
export class DeferredExchange implements Exchange {
  #inner: Exchange | undefined;
  #forget: () => void = () => {};
  #cancelled = false;

  /**
   * @param defer brings the time about
   * @param begin starts the exchange
   */
  constructor(defer: Defer, begin: () => Exchange) {
    this.#forget = defer(() => {
      if (!this.#cancelled) this.#inner = begin();
    });
  }

  cancel(reason?: string): void {
    this.#cancelled = true;
    this.#forget();
    this.#inner?.cancel(reason);
  }

  resume(): void {
    this.#inner?.resume();
  }
}
