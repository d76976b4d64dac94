import type { HeldBytes } from "./held-bytes.js";

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const COLON = 0x3a;
const BYTE_ORDER_MARK = Buffer.from("\uFEFF", "utf8");
/** A longer id could not come back in a header. */
const MAX_ID_BYTES = 4 * 1024;
const NOTHING = Buffer.alloc(0);
const FEED = Buffer.from("\n");

/** What stands between two empty lines of an event stream, or a comment alone. */
export interface EventBlock {
  /** The message; absent for comments, events of other types and events without data. */
  readonly data?: string;
  /** An event of another type: of such only the old HTTP+SSE transport knows one. */
  readonly other?: { readonly type: string; readonly data: string };
  /** The bytes as they came, but for the lines `id` and `retry`; empty when there was nothing else. */
  readonly bytes: Buffer;
  /** The event's id; empty when the upstream took the last one back. */
  readonly id?: string;
  /** What the upstream asks to wait before the stream is resumed, in milliseconds. */
  readonly retryMs?: number;
}

type Line = "blank" | "comment" | "own" | "other";

/**
 * Cuts an event stream into whole blocks, so that one can be read, left out or passed on as the bytes it came in (WHATWG HTML,
 * 9.2). `id` and `retry` are between the gateway and its upstream: the gateway's own clients resume with ids of its own.
 *
 * A block is given as soon as its last byte is there. One that lies within a chunk is not copied.
 */
export class EventBlocks {
  readonly #held: HeldBytes;
  readonly #onBlock: (block: EventBlock) => boolean;
  /** Where in what is held the unfinished line begins. */
  #lineAt = 0;
  /** A carriage return ended the last chunk: was its line kept? A line feed that follows belongs to it. */
  #returned: "kept" | "left-out" | undefined;
  #atStart = true;
  #event = "";
  #data: string[] = [];
  #id: string | undefined;
  #retryMs: number | undefined;

  /**
   * @param held where an unfinished block waits, within its bounds
   * @param onBlock returns false to hear no more: the rest of the chunk is dropped
   */
  constructor(held: HeldBytes, onBlock: (block: EventBlock) => boolean) {
    this.#held = held;
    this.#onBlock = onBlock;
  }

  /** @throws GatewayError UPSTREAM_LIMIT as `HeldBytes.push`, or whatever `onBlock` throws; nothing can be read any further */
  push(chunk: Buffer): void {
    const held = this.#held;
    let start = this.#finishReturn(chunk);
    // What is kept of the block begins in `held` and goes on in the chunk from here.
    let run = start;
    let feed = chunk.indexOf(LINE_FEED, start);
    let back = chunk.indexOf(CARRIAGE_RETURN, start);
    while (feed !== -1 || back !== -1) {
      const end = back === -1 || (feed !== -1 && feed < back) ? feed : back;
      const next = end === back && chunk[end + 1] === LINE_FEED ? end + 2 : end + 1;
      const isSplit = held.length > this.#lineAt;
      if (isSplit) {
        held.push(chunk.subarray(start, next));
        run = next;
      }
      const line = isSplit ? held.from(this.#lineAt) : chunk.subarray(start, next);
      const kind = this.#read(line.subarray(0, line.length - (next - end)));
      const isAlone = isSplit ? this.#lineAt === 0 : held.length === 0 && run === start;
      if (kind === "own") {
        if (isSplit) held.truncate(this.#lineAt);
        else {
          if (run < start) held.push(chunk.subarray(run, start));
          run = next;
        }
        // A line feed that follows must not become one line break with the return before what is left out.
        if (held.length > 0 && held.from(held.length - 1)[0] === CARRIAGE_RETURN) held.push(FEED);
      } else if (kind === "blank" || (kind === "comment" && isAlone)) {
        const bytes = this.#take(chunk.subarray(run, next));
        run = next;
        if (!this.#give(kind, bytes)) return;
      }
      this.#lineAt = held.length;
      this.#returned = undefined;
      if (end === back && next === chunk.length && next === end + 1)
        this.#returned = kind === "own" ? "left-out" : "kept";
      start = next;
      if (feed !== -1 && feed < start) feed = chunk.indexOf(LINE_FEED, start);
      if (back !== -1 && back < start) back = chunk.indexOf(CARRIAGE_RETURN, start);
    }
    if (run === chunk.length) return;
    if (held.length === this.#lineAt) this.#lineAt += start - run;
    held.push(chunk.subarray(run));
  }

  #take(tail: Buffer): Buffer {
    this.#held.push(tail);
    return this.#held.take();
  }

  /** @returns where to read on */
  #finishReturn(chunk: Buffer): number {
    if (this.#returned === undefined || chunk.length === 0) return 0;
    const wasKept = this.#returned === "kept";
    this.#returned = undefined;
    if (chunk[0] !== LINE_FEED) return 0;
    if (wasKept && this.#held.length > 0) {
      this.#held.push(chunk.subarray(0, 1));
      this.#lineAt = this.#held.length;
    } else if (wasKept) this.#onBlock({ bytes: chunk.subarray(0, 1) });
    return 1;
  }

  #read(whole: Buffer): Line {
    const isMarked = this.#atStart && whole.indexOf(BYTE_ORDER_MARK) === 0;
    const line = isMarked ? whole.subarray(BYTE_ORDER_MARK.length) : whole;
    this.#atStart = false;
    if (line.length === 0) return "blank";
    const colon = line.indexOf(COLON);
    if (colon === 0) return "comment";
    const length = colon === -1 ? line.length : colon;
    const name = length === 2 || length === 4 || length === 5 ? line.toString("latin1", 0, length) : "";
    if (name === "data") this.#data.push(valueOf(line, length));
    else if (name === "event") this.#event = valueOf(line, length);
    else if (name === "id") this.#id = idIn(line) ?? this.#id;
    else if (name === "retry") {
      const value = valueOf(line, length);
      if (/^\d{1,15}$/.test(value)) this.#retryMs = Number(value);
    }
    return name === "id" || name === "retry" ? "own" : "other";
  }

  #give(kind: Line, bytes: Buffer): boolean {
    // A comment before a block has no part in it.
    if (kind === "comment") return this.#onBlock({ bytes });
    const id = this.#id;
    const retryMs = this.#retryMs;
    const event = this.#event === "" ? "message" : this.#event;
    const data = this.#data.join("\n");
    this.#id = this.#retryMs = undefined;
    this.#event = "";
    this.#data = [];
    const wasOwn = id !== undefined || retryMs !== undefined;
    return this.#onBlock({
      // Nothing but an id to resume from: empty data would be no message to clients that do not know of such events.
      bytes: wasOwn && data === "" ? NOTHING : bytes,
      ...(event === "message" && data !== "" ? { data } : {}),
      ...(event !== "message" && data !== "" ? { other: { type: event, data } } : {}),
      ...(id === undefined ? {} : { id }),
      ...(retryMs === undefined ? {} : { retryMs }),
    });
  }
}

/** @returns `undefined` for an id that the standard has readers ignore; empty for one that cannot be used */
function idIn(line: Buffer): string | undefined {
  if (line.length > MAX_ID_BYTES) return "";
  const id = valueOf(line, 2);
  return id.includes("\0") ? undefined : id;
}

function valueOf(line: Buffer, name: number): string {
  const value = line.toString("utf8", name + 1);
  return value.startsWith(" ") ? value.slice(1) : value;
}
