import type { Writable } from "node:stream";
import { MAX_HELD_BYTES } from "../gateway/channel-client.js";
import type { MessageChannel } from "../gateway/channel-sink.js";

const LINE_FEED = Buffer.from("\n");

/** How a {@link LineChannel} tells of its reader. */
export interface LineChannelEvents {
  /** It has fallen behind (`true`) or caught up. */
  readonly onBehind: (isBehind: boolean) => void;
  /** It takes nothing any more. */
  readonly onStuck: () => void;
}

/** Messages as lines, each in one write (2026-07-28, stdio). */
export class LineChannel implements MessageChannel {
  readonly #output: Writable;
  readonly #events: LineChannelEvents;
  #isBehind = false;

  constructor(output: Writable, events: LineChannelEvents) {
    this.#output = output;
    this.#events = events;
    output.on("drain", () => {
      this.#isBehind = false;
      events.onBehind(false);
    });
  }

  get isBehind(): boolean {
    return this.#isBehind;
  }

  send(message: string | readonly Uint8Array[]): void {
    if (!this.#output.writable) return;
    // Looked at before and not after: one large message to a reader that keeps up is no backlog. What could wait did so long before.
    if (this.#output.writableLength > MAX_HELD_BYTES) {
      this.#events.onStuck();
      return;
    }
    const line = typeof message === "string" ? `${message}\n` : Buffer.concat([...message, LINE_FEED]);
    if (this.#output.write(line) || this.#isBehind) return;
    this.#isBehind = true;
    this.#events.onBehind(true);
  }
}
