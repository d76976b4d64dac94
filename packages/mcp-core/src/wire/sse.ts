import { LineReader } from "./line-reader.js";

/** One server-sent event, as far as MCP uses them. */
export interface SseEvent {
  /** The event's type; `message` when none was given. */
  readonly event: string;
  /** The `data` lines, joined by LF. */
  readonly data: string;
  /** The last id the stream has given so far, also on an earlier event; empty when it took it back. */
  readonly id?: string;
}

/** One JSON-RPC message as a server-sent event. */
export const encodeSseMessage = (message: object): string => `event: message\ndata: ${JSON.stringify(message)}\n\n`;

/** A comment line: keeps an idle stream open through intermediaries and means nothing to a client. */
export const SSE_KEEP_ALIVE = ": keep-alive\n\n";

const BYTE_ORDER_MARK = "\uFEFF";

/**
 * Reads a stream of server-sent events (WHATWG HTML, 9.2) chunk by chunk: the chunk borders change nothing, and the
 * time is linear in the bytes. `retry` is not read. An event that the end of the stream cuts off never comes.
 */
export class SseParser {
  readonly #onEvent: (event: SseEvent) => void;
  readonly #maxEventLength: number;
  // The byte order mark counts at the start of the stream only: the decoder, which sees single lines, must leave it.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #lines = new LineReader((line) => {
    this.#read(line);
  });
  #atStart = true;
  #tooLong = false;
  #data: string[] = [];
  #length = 0;
  #event = "";
  #id: string | undefined;

  /**
   * @param onEvent what it throws passes through {@link push}, and the rest of that chunk is lost
   * @param maxEventLength most bytes that the `data` lines of one event may hold together, field names and a byte for each
   * line break included; also the most of any single line
   */
  constructor(onEvent: (event: SseEvent) => void, maxEventLength = 32 * 1024 * 1024) {
    this.#onEvent = onEvent;
    this.#maxEventLength = maxEventLength;
  }

  /**
   * @throws RangeError when an event grows beyond the bound, and from then on: the stream cannot be read any further.
   * Events that were complete before it have been given.
   */
  push(chunk: Uint8Array): void {
    if (this.#tooLong) this.#refuse();
    this.#lines.push(chunk);
    this.#check(this.#lines.unfinishedLength);
  }

  #read(bytes: Uint8Array): void {
    const isFirst = this.#atStart;
    this.#atStart = false;
    if (bytes.length === 0) {
      this.#dispatch();
      return;
    }
    // The line break counts, or empty lines of data would cost nothing.
    this.#check(bytes.length + 1);
    const decoded = this.#decoder.decode(bytes);
    const line = isFirst && decoded.startsWith(BYTE_ORDER_MARK) ? decoded.slice(1) : decoded;
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon === -1 ? line : line.slice(0, colon);
    const raw = colon === -1 ? "" : line.slice(colon + 1);
    const value = raw.startsWith(" ") ? raw.slice(1) : raw;
    if (field === "data") {
      this.#data.push(value);
      this.#length += bytes.length + 1;
    } else if (field === "event") this.#event = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
  }

  #dispatch(): void {
    const data = this.#data;
    const event = this.#event === "" ? "message" : this.#event;
    this.#data = [];
    this.#length = 0;
    this.#event = "";
    if (data.length === 0) return;
    this.#onEvent({ event, data: data.join("\n"), ...(this.#id === undefined ? {} : { id: this.#id }) });
  }

  #check(lineLength: number): void {
    if (lineLength + this.#length > this.#maxEventLength) this.#refuse();
  }

  #refuse(): never {
    this.#tooLong = true;
    this.#data = [];
    throw new RangeError(`a server-sent event is longer than ${this.#maxEventLength} bytes`);
  }
}
