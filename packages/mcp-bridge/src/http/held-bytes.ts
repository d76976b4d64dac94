import type { ByteBudget } from "../byte-budget.js";
import { heldFailure, tooLargeFailure } from "./failures.js";

/** Beside the first chunk, less than this is not worth an allocation. */
const SMALLEST_BYTES = 4 * 1024;
const EMPTY: Buffer = Buffer.alloc(0);

/**
 * The bytes of a message that is not complete yet, in one growing buffer: a list of chunks would cost a hundred times their
 * size when an upstream sends them byte by byte. One chunk alone is not copied.
 */
export class HeldBytes {
  readonly #key: string;
  readonly #maxBytes: number;
  readonly #budget: ByteBudget | undefined;
  #buffer = EMPTY;
  /** Whether the buffer is one that we made and nobody else reads. */
  #owned = false;
  #length = 0;

  /** @param maxBytes most bytes held, beside what `budget` allows */
  constructor(key: string, maxBytes: number, budget?: ByteBudget) {
    this.#key = key;
    this.#maxBytes = maxBytes;
    this.#budget = budget;
  }

  get length(): number {
    return this.#length;
  }

  /** @throws GatewayError UPSTREAM_LIMIT beyond a bound, naming it; what was held before still is */
  push(bytes: Buffer): void {
    const length = this.#length + bytes.length;
    if (length > this.#maxBytes) throw tooLargeFailure(this.#key, this.#maxBytes);
    const exceeded = this.#budget?.take(bytes.length);
    if (exceeded !== undefined) throw heldFailure(this.#key, exceeded);
    if (this.#length === 0) {
      this.#buffer = bytes;
      this.#owned = false;
    } else {
      if (length > this.#buffer.length) this.#grow(length);
      bytes.copy(this.#buffer, this.#length);
    }
    this.#length = length;
  }

  /** What is held from this offset on; valid until something is changed. */
  from(offset: number): Buffer {
    return this.#buffer.subarray(offset, this.#length);
  }

  /** Keeps the first `length` bytes. */
  truncate(length: number): void {
    this.#budget?.give(this.#length - length);
    this.#length = length;
    // What is cut off may be part of a chunk that is still read: nothing may be written there. In a buffer of our own it may, and
    // giving its room away would mean to copy everything with the next push.
    if (!this.#owned) this.#buffer = this.#buffer.subarray(0, length);
  }

  /** Everything, which is then held no more. */
  take(): Buffer {
    const bytes = this.from(0);
    this.clear();
    return bytes;
  }

  /** Lets go of everything. Idempotent. */
  clear(): void {
    this.truncate(0);
    this.#buffer = EMPTY;
  }

  #grow(length: number): void {
    const capacity = Math.min(Math.max(length, 2 * this.#buffer.length, SMALLEST_BYTES), this.#maxBytes);
    const grown = Buffer.allocUnsafeSlow(capacity);
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
    this.#owned = true;
  }
}
