import type { ServerResponse } from "node:http";
import type { Era } from "@cortex-os/mcp-core/wire";
import type { ChannelFeatures } from "../exchange.js";
import type { EventStreamDeps } from "./event-stream.js";
import type { ResumableStream } from "./resumable-stream.js";
import { HttpExchange, type HttpExchangeOptions } from "./http-exchange.js";

/** Makes exchanges and knows which are open, so that the server can stop in order. */
export class ExchangeFactory {
  /** What responses of this server can carry. */
  readonly features: ChannelFeatures;
  readonly streamDeps: EventStreamDeps;
  readonly #open = new Set<HttpExchange>();
  readonly #modern: HttpExchangeOptions;
  readonly #legacy: HttpExchangeOptions;
  #onEmpty: (() => void) | undefined;

  /** @param streaming `false`: every answer is plain JSON */
  constructor(streaming: boolean, streamDeps: EventStreamDeps) {
    this.features = { changes: streaming, logging: streaming };
    this.streamDeps = streamDeps;
    const onClosed = (exchange: HttpExchange): void => {
      this.#open.delete(exchange);
      if (this.#open.size === 0) this.#onEmpty?.();
    };
    this.#modern = { ...streamDeps, streaming, cancelOnClose: true, onClosed };
    this.#legacy = { ...streamDeps, streaming, cancelOnClose: false, onClosed };
  }

  /** @param resumable opens the stream of the answer, where it is one that the client can come back for */
  open(res: ServerResponse, era: Era, resumable?: () => ResumableStream): HttpExchange {
    const exchange = new HttpExchange(res, era === "modern" ? this.#modern : this.#legacy, resumable);
    this.#open.add(exchange);
    return exchange;
  }

  /** Ends all that are open. @returns once the last answer is out */
  async shutDown(): Promise<void> {
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    for (const exchange of this.#open) exchange.shutDown();
    if (this.#open.size > 0) await empty;
  }
}
