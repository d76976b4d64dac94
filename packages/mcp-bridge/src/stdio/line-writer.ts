import type { Writable } from "node:stream";
import type { QueuedLine } from "../channel/queued-line.js";

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
 */
export class LineWriter {
  readonly #stream: Writable;
  readonly #maxQueuedBytes: number;
  #queue: Item[] = [];
  #queuedBytes = 0;
  #blocked = false;
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
   * Sends a line, or queues it while the reader is behind.
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
    this.#flush();
    return item;
  }

  /** Drops what waits and closes the stream: the reader sees end of file. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#stream.end();
  }

  #flush(): void {
    if (this.#blocked) return;
    let sent = 0;
    for (const item of this.#queue) {
      if (this.#blocked) break;
      sent += 1;
      this.#queuedBytes -= item.bytes;
      if (item.text === undefined) continue;
      this.#blocked = !this.#stream.write(item.text);
      item.text = undefined;
    }
    this.#queue.splice(0, sent);
  }
}
