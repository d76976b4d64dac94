import type { ServerResponse } from "node:http";
import type { Timers } from "@cortex-os/mcp-core";
import { encodeSseMessage, SSE_KEEP_ALIVE, type JsonRpcMessage } from "@cortex-os/mcp-core/wire";
import type { MessageStream } from "./message-stream.js";

/** What event streams need from outside. */
export interface EventStreamDeps {
  readonly timers: Timers;
  /** Milliseconds between two keep-alive comments. */
  readonly keepAliveMs: number;
  /** A reader that leaves this many bytes unread is cut off: what it does not take would pile up here. @default 1 MiB */
  readonly maxUnreadBytes?: number;
}

const MAX_UNREAD_BYTES = 1024 * 1024;

/** Server-sent events on one response, with comments that keep the connection open. */
export class EventStream implements MessageStream {
  readonly #res: ServerResponse;
  readonly #deps: EventStreamDeps;
  #cancelKeepAlive: () => void;

  constructor(res: ServerResponse, deps: EventStreamDeps) {
    this.#res = res;
    this.#deps = deps;
    res.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-cache",
      // Asks proxies not to hold events back (Streamable HTTP, Receiving Messages).
      "x-accel-buffering": "no",
    });
    res.flushHeaders();
    this.#cancelKeepAlive = this.#keepAlive();
    res.once("close", () => {
      this.#cancelKeepAlive();
    });
  }

  send(message: JsonRpcMessage): void {
    this.write(encodeSseMessage(message));
  }

  /** Sends an event that is no message. Does nothing once the client has gone. */
  sendEvent(event: string, data: string): void {
    this.write(`event: ${event}\ndata: ${data}\n\n`);
  }

  end(last?: JsonRpcMessage): void {
    if (last !== undefined) this.send(last);
    if (!this.#res.writableEnded) this.#res.end();
  }

  /** Sends encoded events. Does nothing once the client has gone. */
  write(text: string): void {
    if (this.#res.destroyed || this.#res.writableEnded) return;
    if (this.#res.writableLength > (this.#deps.maxUnreadBytes ?? MAX_UNREAD_BYTES)) this.#res.destroy();
    else this.#res.write(text);
  }

  #keepAlive(): () => void {
    return this.#deps.timers.after(this.#deps.keepAliveMs, () => {
      this.write(SSE_KEEP_ALIVE);
      this.#cancelKeepAlive = this.#keepAlive();
    });
  }
}
