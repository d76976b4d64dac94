import type { ServerResponse } from "node:http";
import { encodeSseMessage, type JsonRpcMessage } from "@cortex-os/mcp-core/wire";
import { EventStream, type EventStreamDeps } from "./event-stream.js";
import type { MessageStream } from "./message-stream.js";

/** How long a client is to wait before it comes back. */
const RETRY_MS = 500;
/** Characters of events that one stream keeps for a client that comes back; the oldest go first. */
const MAX_KEPT = 8 * 1024 * 1024;

/**
 * A stream that outlives its connections: every event has an id, and a client that comes back with one gets all that came after
 * it (2025-11-25, transports, Resumability and Redelivery). The first event is empty, so that there is an id from the start.
 */
export class ResumableStream implements MessageStream {
  /** Whether it is one to listen on, and not the answer to a request. */
  readonly standalone: boolean;
  readonly #number: number;
  readonly #deps: EventStreamDeps;
  readonly #onEnded: () => void;
  /** The events that are kept, oldest first; the first of them is number `#first`. */
  readonly #events: string[] = [];
  #first = 0;
  #kept = 0;
  #connection: EventStream | undefined;
  #ended = false;

  /**
   * @param number its own among the streams of its session
   * @param onEnded called once nothing more will come
   */
  constructor(number: number, deps: EventStreamDeps, standalone: boolean, onEnded: () => void) {
    this.#number = number;
    this.standalone = standalone;
    this.#deps = deps;
    this.#onEnded = onEnded;
    this.#add(`retry: ${RETRY_MS}\n`, "data: \n\n");
  }

  /** Whether nothing more will come. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether everything after event `after` is still there to be sent. */
  canResume(after: number): boolean {
    return after + 1 >= this.#first && after < this.#first + this.#events.length;
  }

  /** Goes on over `res`, from behind event `after` or from the start; a connection there was is closed. */
  connect(res: ServerResponse, after = -1): void {
    this.disconnect();
    const connection = new EventStream(res, this.#deps);
    this.#connection = connection;
    res.once("close", () => {
      if (this.#connection === connection) this.#connection = undefined;
    });
    for (const event of this.#events.slice(after + 1 - this.#first)) connection.write(event);
    if (this.#ended) this.disconnect();
  }

  send(message: JsonRpcMessage): void {
    if (!this.#ended) this.#add("", encodeSseMessage(message));
  }

  end(last?: JsonRpcMessage): void {
    if (last !== undefined) this.send(last);
    this.#ended = true;
    this.disconnect();
    this.#onEnded();
  }

  /** Closes the connection and not the stream. */
  disconnect(): void {
    this.#connection?.end();
    this.#connection = undefined;
  }

  #add(before: string, after: string): void {
    const event = `${before}id: ${this.#number}-${this.#first + this.#events.length}\n${after}`;
    this.#events.push(event);
    this.#kept += event.length;
    while (this.#kept > MAX_KEPT && this.#events.length > 1) {
      this.#kept -= this.#events.shift()?.length ?? 0;
      this.#first += 1;
    }
    this.#connection?.write(event);
  }
}
