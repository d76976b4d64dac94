import type { Writable } from "node:stream";
import type { QueuedLine } from "../channel/queued-line.js";

/** Lines are handed to the stream together up to about so many characters: what the stream has cannot be taken back. */
const TOGETHER = 64 * 1024;

class Item implements QueuedLine {
  text: string | undefined;
  readonly bytes: number;

  constructor(text: string, bytes: number) {
    this.text = text;
    this.bytes = bytes;
  }

  withdraw(): boolean {
    if (this.text === undefined) return false;
    this.text = undefined;
    return true;
  }
}

/**
 * Writes lines to a child's stdin without ever holding more than a bounded number of bytes: a child that does not read must not
 * cost the gateway its memory.
 *
 * Lines wait for the end of the turn of the event loop that they came in, and go out in one write: requests of many clients that arrive together cost one system call,
 * and wake the child once.
 */
export class LineWriter {
  readonly #stream: Writable;
  readonly #maxQueuedBytes: number;
  #queue: Item[] = [];
  #queuedBytes = 0;
  #blocked = false;
  #scheduled = false;
  #closed = false;

  /** @param maxQueuedBytes how much may wait; a single line on an empty queue may be longer */
  constructor(stream: Writable, maxQueuedBytes: number) {
    this.#stream = stream;
    this.#maxQueuedBytes = maxQueuedBytes;
    stream.on("drain", () => {
      this.#blocked = false;
      this.#flush();
    });
  }

  /**
   * Sends a line at the end of this turn, or queues it while the reader is behind.
   *
   * @param line with its newline
   * @returns `undefined` when the queue is full or the writer closed: the line was not taken
   */
  write(line: string): QueuedLine | undefined {
    if (this.#closed) return undefined;
    const bytes = Buffer.byteLength(line);
    const waiting = this.#queuedBytes + this.#stream.writableLength;
    if (waiting > 0 && waiting + bytes > this.#maxQueuedBytes) return undefined;
    const item = new Item(line, bytes);
    this.#queue.push(item);
    this.#queuedBytes += bytes;
    if (!this.#scheduled && !this.#blocked) {
      this.#scheduled = true;
      setImmediate(this.#onTurnEnd);
    }
    return item;
  }

  /** Sends what only waits for the end of the turn, drops what waits for the reader, and closes the stream: the reader sees end of file. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#flush();
    this.#closed = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#stream.end();
  }

  readonly #onTurnEnd = (): void => {
    this.#scheduled = false;
    this.#flush();
  };

  #flush(): void {
    if (this.#closed) return;
    let sent = 0;
    while (sent < this.#queue.length && !this.#blocked) {
      let text = "";
      for (; sent < this.#queue.length && text.length < TOGETHER; sent += 1) text += this.#take(this.#queue[sent]);
      if (text !== "") this.#blocked = !this.#stream.write(text);
    }
    if (sent === this.#queue.length) this.#queue = [];
    else this.#queue.splice(0, sent);
  }

  #take(item: Item | undefined): string {
    if (item === undefined) return "";
    const { bytes, text = "" } = item;
    this.#queuedBytes -= bytes;
    item.text = undefined;
    return text;
  }
}
