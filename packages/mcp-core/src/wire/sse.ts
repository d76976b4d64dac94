/** One server-sent event, as far as MCP uses them. */
export interface SseEvent {
  /** The event's type; `message` when none was given. */
  readonly event: string;
  readonly data: string;
  readonly id?: string;
}

/** One JSON-RPC message as a server-sent event. */
export const encodeSseMessage = (message: object): string => `event: message\ndata: ${JSON.stringify(message)}\n\n`;

/** A comment line: keeps an idle stream open through intermediaries and means nothing to a client. */
export const SSE_KEEP_ALIVE = ": keep-alive\n\n";

/** Reads a stream of server-sent events (WHATWG HTML, 9.2) chunk by chunk, whatever the chunk borders. */
export class SseParser {
  readonly #onEvent: (event: SseEvent) => void;
  readonly #maxEventLength: number;
  readonly #decoder = new TextDecoder();
  #rest = "";
  #sawCarriageReturn = false;
  #data: string[] = [];
  #length = 0;
  #event = "";
  #id: string | undefined;

  /** @param maxEventLength most characters one event may hold; a longer one makes {@link push} throw a `RangeError` */
  constructor(onEvent: (event: SseEvent) => void, maxEventLength = 32 * 1024 * 1024) {
    this.#onEvent = onEvent;
    this.#maxEventLength = maxEventLength;
  }

  /** @throws RangeError when an event grows beyond the bound: the stream cannot be read any further */
  push(chunk: Uint8Array): void {
    let text = this.#decoder.decode(chunk, { stream: true });
    if (text === "") return;
    // A line break of CR LF may be cut in two by the chunk border.
    if (this.#sawCarriageReturn && text.startsWith("\n")) text = text.slice(1);
    this.#sawCarriageReturn = text.endsWith("\r");
    const lines = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
    if (this.#rest.length + this.#length > this.#maxEventLength) {
      throw new RangeError(`a server-sent event is longer than ${this.#maxEventLength} characters`);
    }
  }

  #line(line: string): void {
    if (line === "") {
      this.#dispatch();
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon === -1 ? line : line.slice(0, colon);
    const raw = colon === -1 ? "" : line.slice(colon + 1);
    const value = raw.startsWith(" ") ? raw.slice(1) : raw;
    if (field === "data") {
      this.#data.push(value);
      this.#length += value.length;
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
}
