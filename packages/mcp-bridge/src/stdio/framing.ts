const NEWLINE = 0x0a;
/** How much of the end of a line that was cut is kept, in bytes. */
const TAIL_BYTES = 256;

/** Hears the lines of a {@link LineReader}. */
export interface LineSink {
  /**
   * One line without its newline; it may end in a carriage return, and it may be empty.
   *
   * @param line its bytes, of the chunk that they came in when that was one
   * @param cut the line is longer than the reader's bound: this is its beginning, and the rest was dropped
   */
  (line: Buffer, cut: boolean): void;
}

/** Hears that a line that was cut has come to its end, and with what: its last 256 bytes, or all of it when it is shorter. */
export type CutLineEnd = (tail: string) => void;

/**
 * Splits a byte stream into lines (2026-07-28, stdio: messages are delimited by newlines).
 *
 * A line comes as a whole, so that a character split across two chunks comes out right. One that lies within one chunk is not copied, and of others each byte is
 * copied at most once however many chunks they take. What it holds back never exceeds `maxBytes` and one chunk.
 */
export class LineReader {
  readonly #maxBytes: number;
  readonly #onLine: LineSink;
  readonly #onCutEnd: CutLineEnd | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** The rest of a line that was cut is still coming. */
  #skipping = false;
  /** The last of it so far. */
  #tail = Buffer.alloc(0);

  /** @param maxBytes longest line; a longer one is cut */
  constructor(maxBytes: number, onLine: LineSink, onCutEnd?: CutLineEnd) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
    this.#onCutEnd = onCutEnd;
  }

  /** Takes the next bytes, and hands on each line that is complete. */
  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const part = chunk.subarray(start, end);
      if (this.#heldBytes === 0 && !this.#skipping && part.length <= this.#maxBytes) {
        this.#onLine(part, false);
      } else {
        this.#hold(part);
        this.#finish();
      }
      start = end + 1;
    }
    if (start < chunk.length) this.#hold(start === 0 ? chunk : chunk.subarray(start));
  }

  /** The stream ended: what is held back is the last line, although no newline followed it. */
  end(): void {
    if (this.#heldBytes > 0 || this.#skipping) this.#finish();
  }

  #hold(part: Buffer): void {
    if (this.#skipping) {
      this.#keepTail(part);
      return;
    }
    this.#held.push(part);
    this.#heldBytes += part.length;
    if (this.#heldBytes <= this.#maxBytes) return;
    this.#emit(this.#maxBytes, true);
    this.#skipping = true;
  }

  #finish(): void {
    if (this.#skipping) this.#onCutEnd?.(this.#tail.toString());
    else this.#emit(this.#heldBytes, false);
    this.#skipping = false;
    this.#tail = Buffer.alloc(0);
  }

  #emit(bytes: number, cut: boolean): void {
    const [first] = this.#held;
    const whole = this.#held.length === 1 && first !== undefined ? first : Buffer.concat(this.#held, this.#heldBytes);
    this.#held = [];
    this.#heldBytes = 0;
    if (cut) this.#keepTail(whole);
    this.#onLine(whole.subarray(0, bytes), cut);
  }

  /** A copy: what it is of may be large. */
  #keepTail(part: Buffer): void {
    if (this.#onCutEnd !== undefined)
      this.#tail = Buffer.concat([this.#tail, part.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
  }
}
