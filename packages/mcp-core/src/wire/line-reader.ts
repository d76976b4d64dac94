const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** A larger buffer is given back after its line: streams live long, and long lines are rare. */
const KEPT_CAPACITY = 64 * 1024;

/**
 * Cuts a stream of bytes into lines that end in LF, CR or CR LF, wherever the chunk borders are.
 *
 * Each byte is looked at once and copied at most three times, however small the chunks: a peer that sends a long line
 * byte by byte must not make us read it again for every byte.
 */
export class LineReader {
  readonly #onLine: (line: Uint8Array) => void;
  #kept = new Uint8Array(0);
  #keptLength = 0;
  #sawCarriageReturn = false;

  /** @param onLine gets each finished line without its line break; the bytes are valid during the call only */
  constructor(onLine: (line: Uint8Array) => void) {
    this.#onLine = onLine;
  }

  /** How many bytes of an unfinished line are held. */
  get unfinishedLength(): number {
    return this.#keptLength;
  }

  /** Reads on. What `onLine` throws passes through, and the rest of the chunk is lost. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    // A line break of CR LF may be cut in two by the chunk border.
    let start = this.#sawCarriageReturn && chunk[0] === LINE_FEED ? 1 : 0;
    this.#sawCarriageReturn = chunk.at(-1) === CARRIAGE_RETURN;
    let feed = chunk.indexOf(LINE_FEED, start);
    let back = chunk.indexOf(CARRIAGE_RETURN, start);
    while (feed !== -1 || back !== -1) {
      const end = back === -1 || (feed !== -1 && feed < back) ? feed : back;
      this.#finish(chunk.subarray(start, end));
      start = end + 1;
      if (end === back && chunk[start] === LINE_FEED) start += 1;
      // Each search goes on from where the last one of its kind stopped, so that none looks at a byte twice.
      if (feed !== -1 && feed < start) feed = chunk.indexOf(LINE_FEED, start);
      if (back !== -1 && back < start) back = chunk.indexOf(CARRIAGE_RETURN, start);
    }
    this.#keep(chunk.subarray(start));
  }

  #finish(tail: Uint8Array): void {
    if (this.#keptLength === 0) {
      this.#onLine(tail);
      return;
    }
    this.#keep(tail);
    const line = this.#kept.subarray(0, this.#keptLength);
    this.#keptLength = 0;
    if (this.#kept.length > KEPT_CAPACITY) this.#kept = new Uint8Array(0);
    this.#onLine(line);
  }

  #keep(bytes: Uint8Array): void {
    const length = this.#keptLength + bytes.length;
    if (length > this.#kept.length) {
      const grown = new Uint8Array(Math.max(length, this.#kept.length * 2));
      grown.set(this.#kept.subarray(0, this.#keptLength));
      this.#kept = grown;
    }
    this.#kept.set(bytes, this.#keptLength);
    this.#keptLength = length;
  }
}
