/**
 * How many bytes of unfinished messages may be held at once by all who share it: a bound on one message is none on many. A budget
 * may be part of a larger one, so that one upstream can neither take all of the process's nor more than its own.
 */
export class ByteBudget {
  /** The bound, in bytes. */
  readonly maxBytes: number;
  readonly #parent: ByteBudget | undefined;
  #held = 0;

  /**
   * @param parent what is taken from this budget is taken from that one too
   * @throws RangeError when `maxBytes` is no positive number
   */
  constructor(maxBytes: number, parent?: ByteBudget) {
    if (!(maxBytes > 0)) throw new RangeError(`maxBytes must be a number of bytes > 0, got ${maxBytes}`);
    this.maxBytes = maxBytes;
    this.#parent = parent;
  }

  /** Bytes that are held right now. */
  get held(): number {
    return this.#held;
  }

  /** @returns `undefined` when the bytes may be held; otherwise the bound in bytes that they would exceed, and nothing is taken */
  take(bytes: number): number | undefined {
    if (this.#held + bytes > this.maxBytes) return this.maxBytes;
    const exceeded = this.#parent?.take(bytes);
    if (exceeded === undefined) this.#held += bytes;
    return exceeded;
  }

  /** Gives back what was taken. */
  give(bytes: number): void {
    this.#held -= bytes;
    this.#parent?.give(bytes);
  }
}
