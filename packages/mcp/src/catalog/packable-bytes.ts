import { constants, deflateRaw } from "node:zlib";
import { deflatedBytes, gzipFrame, type DeflatedBytes } from "./gzip-frame.js";

/** Fewest bytes that are worth it: less fits into a few packets as it is. */
const MIN_BYTES = 4_096;

/** Bytes that are sent again and again, and compressed once: beside the event loop, when somebody asks for the first time. */
export class PackableBytes {
  readonly plain: Buffer;
  #packed: DeflatedBytes | undefined;
  #isAsked = false;

  constructor(plain: Buffer) {
    this.plain = plain;
  }

  /**
   * A gzip file of `head`, these bytes and `tail`, in pieces.
   * @returns `undefined` as long as there is none: nobody waits for it, the bytes as they are do as well
   */
  gzip(head: Buffer, tail: Buffer): readonly Buffer[] | undefined {
    if (this.#packed !== undefined) return gzipFrame(head, this.#packed, tail);
    if (!this.#isAsked && this.plain.length >= MIN_BYTES) this.#pack();
    return undefined;
  }

  #pack(): void {
    this.#isAsked = true;
    // Flushed and not finished: the blocks end on a byte, and others may follow.
    deflateRaw(this.plain, { finishFlush: constants.Z_SYNC_FLUSH }, (error, blocks) => {
      // For want of memory perhaps: they go as they are from then on.
      if (error === null) this.#packed = deflatedBytes(this.plain, blocks);
    });
  }
}
