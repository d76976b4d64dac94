import type { ServerResponse } from "node:http";
import { encodeSseMessage, SSE_KEEP_ALIVE } from "@cortex-os/mcp-core/wire";
import type { KeepAlive } from "./keep-alive.js";
import { cutOffWhenStalled } from "./slow-reader.js";

/** Bytes that may wait for one reader; a slower one is cut off, because events cannot be dropped (reliability.md, 5.1, SSE backpressure). */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** An event up to this size is copied into one piece with its id. */
const COPIED_BYTES = 16 * 1024;
/** A reader that was behind at so many beats in a row, with nothing drained between, has stopped reading. */
const MAX_BEATS_BEHIND = 2;

/** What every event stream of one HTTP front shares. */
export interface SseDeps {
  readonly keepAlive: KeepAlive;
  /** A reader that takes nothing for so many milliseconds once the stream has ended is cut off. */
  readonly slowReaderMs: number;
  /** Bytes that may wait for one reader; a slower one is cut off. @default 4 MiB */
  readonly maxWaitingBytes?: number;
}

/** A response that is a stream of server-sent events. */
export class SseResponse {
  readonly #response: ServerResponse;
  readonly #deps: SseDeps;
  readonly #stopBeating: () => void;
  #beatsBehind = 0;

  constructor(response: ServerResponse, deps: SseDeps) {
    this.#response = response;
    this.#deps = deps;
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    });
    response.flushHeaders();
    this.#stopBeating = deps.keepAlive.add(() => {
      this.#beat();
    });
    response.on("drain", () => {
      this.#beatsBehind = 0;
    });
    response.once("close", this.#stopBeating);
  }

  /** @returns false when the message cannot be encoded, because an upstream nested it too deeply: nothing was sent */
  send(message: object): boolean {
    let text: string;
    try {
      text = encodeSseMessage(message);
    } catch {
      return false;
    }
    this.#write(text);
    return true;
  }

  /** Whether its reader has something waiting, so that whoever can should wait too. */
  get isBehind(): boolean {
    return this.#response.writableNeedDrain;
  }

  /** Sends one event: its first lines, and the rest. */
  event(head: string, rest: Uint8Array): void {
    // One write where the copy is cheap. Not corked: Node's response does not say that it needs draining then.
    if (rest.length <= COPIED_BYTES) this.#write(Buffer.concat([Buffer.from(head), rest]));
    else {
      this.#write(head);
      this.#write(rest);
    }
  }

  /** Breaks the connection. */
  cutOff(): void {
    this.#response.destroy();
  }

  /** Sends whole events that are encoded already. @returns false when the reader is behind */
  pass(events: Uint8Array): boolean {
    this.#write(events);
    return !this.isBehind;
  }

  /** Ends the stream; what waits is still delivered to a reader that reads. */
  end(): void {
    this.#stopBeating();
    this.#response.end();
    cutOffWhenStalled(this.#response, this.#deps.slowReaderMs);
  }

  #beat(): void {
    if (!this.#response.writableNeedDrain) this.#write(SSE_KEEP_ALIVE);
    else if (++this.#beatsBehind >= MAX_BEATS_BEHIND) this.#response.destroy();
  }

  #write(events: string | Uint8Array): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    // Looked at before and not after: one large message to a reader that keeps up is no backlog.
    if (this.#response.writableLength > (this.#deps.maxWaitingBytes ?? MAX_WAITING_BYTES)) this.#response.destroy();
    else this.#response.write(events);
  }
}
