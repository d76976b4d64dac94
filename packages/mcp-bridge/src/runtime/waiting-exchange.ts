import type { GatewayError } from "@cortex-os/mcp-core";
import type { AnswerSink, Exchange } from "./exchange.js";

/** An exchange that cannot begin yet, because the first connection is still being made. */
export class WaitingExchange implements Exchange {
  readonly #sink: AnswerSink;
  #inner: Exchange | undefined;
  #cancelled = false;

  constructor(sink: AnswerSink) {
    this.#sink = sink;
  }

  /** The connection is there. */
  begin(start: () => Exchange): void {
    if (!this.#cancelled) this.#inner = start();
  }

  /** There will be none. */
  fail(error: GatewayError): void {
    if (!this.#cancelled) this.#sink.fail(error);
  }

  cancel(reason?: string): void {
    this.#cancelled = true;
    this.#inner?.cancel(reason);
  }

  resume(): void {
    this.#inner?.resume();
  }
}
