/** Takes what an answer's body holds, piece by piece, and hears when it is whole. */
export interface AnswerSink {
  body(piece: Buffer): void;
  end(status: number): void;
}

type State = "head" | "length" | "chunk size" | "chunk" | "chunk end" | "trailer";

const HEAD_END = Buffer.from("\r\n\r\n");
const LINE_END = Buffer.from("\r\n");
const STATUS = /^HTTP\/1\.1 (\d{3})/;
const LENGTH = /\r\ncontent-length: *(\d+)/i;
const CHUNKED = /\r\ntransfer-encoding: *chunked/i;

/**
 * Reads the answers of one HTTP/1.1 connection: the least that a load generator must understand, since whatever it spends on reading is taken from what it measures. Bodies
 * have a length or come in chunks; anything else is refused.
 */
export class AnswerReader {
  readonly #sink: AnswerSink;
  #state: State = "head";
  #status = 0;
  /** Bytes that are still to come of a body or a chunk. */
  #left = 0;
  /** The beginning of a head or a line whose end has not come yet. */
  #held: Buffer | undefined;

  constructor(sink: AnswerSink) {
    this.#sink = sink;
  }

  /** @throws Error when the bytes are not an answer that it can read */
  read(piece: Buffer): void {
    let bytes = this.#held === undefined ? piece : Buffer.concat([this.#held, piece]);
    this.#held = undefined;
    while (bytes.length > 0) {
      const used = this.#step(bytes);
      if (used === 0) {
        this.#held = bytes;
        return;
      }
      bytes = bytes.subarray(used);
    }
  }

  /** Consumes what it can: 0 when more must come first. */
  #step(bytes: Buffer): number {
    switch (this.#state) {
      case "head":
        return this.#until(HEAD_END, bytes, (head) => {
          this.#beginBody(head);
        });
      case "length":
        return this.#take(bytes, () => {
          this.#end();
        });
      case "chunk size":
        return this.#until(LINE_END, bytes, (line) => {
          this.#left = Number.parseInt(line, 16);
          if (Number.isNaN(this.#left)) throw new Error(`no size of a chunk: ${line}`);
          this.#state = this.#left === 0 ? "trailer" : "chunk";
        });
      case "chunk":
        return this.#take(bytes, () => {
          this.#state = "chunk end";
        });
      case "chunk end":
        return this.#until(LINE_END, bytes, () => {
          this.#state = "chunk size";
        });
      case "trailer":
        return this.#until(LINE_END, bytes, (line) => {
          if (line === "") this.#end();
        });
    }
  }

  #until(end: Buffer, bytes: Buffer, found: (text: string) => void): number {
    const at = bytes.indexOf(end);
    if (at === -1) return 0;
    found(bytes.toString("latin1", 0, at));
    return at + end.length;
  }

  #take(bytes: Buffer, done: () => void): number {
    const count = Math.min(this.#left, bytes.length);
    this.#sink.body(count === bytes.length ? bytes : bytes.subarray(0, count));
    this.#left -= count;
    if (this.#left === 0) done();
    return count;
  }

  #beginBody(head: string): void {
    const status = STATUS.exec(head)?.[1];
    const length = LENGTH.exec(head)?.[1];
    if (status === undefined || (length === undefined && !CHUNKED.test(head)))
      throw new Error(`an answer that cannot be read: ${head}`);
    this.#status = Number(status);
    this.#left = Number(length ?? 0);
    this.#state = length === undefined ? "chunk size" : "length";
    if (length === "0") this.#end();
  }

  #end(): void {
    this.#state = "head";
    this.#sink.end(this.#status);
  }
}
