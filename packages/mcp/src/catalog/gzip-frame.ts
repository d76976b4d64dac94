import { crc32 } from "node:zlib";
import { crcOfBoth, shiftOf } from "./crc32-of-both.js";

/** Bytes that were compressed by themselves, to be put into the middle of a gzip file. */
export interface DeflatedBytes {
  /** Whole deflate blocks (RFC 1951), none of them the last, that end on a byte and refer to nothing before them. */
  readonly blocks: Buffer;
  /** What they hold. */
  readonly crc: number;
  readonly length: number;
  /** {@link shiftOf} that length. */
  readonly shift: number;
}

/** Says of compressed bytes what their place in a gzip file asks for. */
export const deflatedBytes = (plain: Buffer, blocks: Buffer): DeflatedBytes => ({
  blocks,
  crc: crc32(plain),
  length: plain.length,
  shift: shiftOf(plain.length),
});

/** Most bytes that a block can hold as they are. */
const MAX_STORED = 65_535;

/**
 * One gzip file (RFC 1952) of `head`, what is compressed, and `tail`. Head and tail are stored as they are: nothing is compressed, and all that is read is head and
 * tail. One file of one member, because not every reader goes on after the first.
 *
 * @returns pieces to be written one after the other; `undefined` when head or tail is too long for one block
 */
export function gzipFrame(head: Buffer, middle: DeflatedBytes, tail: Buffer): readonly Buffer[] | undefined {
  if (head.length > MAX_STORED || tail.length > MAX_STORED) return undefined;
  const before = Buffer.allocUnsafe(HEADER.length + STORED_BYTES + head.length);
  before.set(HEADER);
  before.set(head, stored(before, HEADER.length, head.length, 0));
  const after = Buffer.allocUnsafe(STORED_BYTES + tail.length + 8);
  const end = stored(after, 0, tail.length, LAST);
  after.set(tail, end);
  after.writeUInt32LE(crc32(tail, crcOfBoth(crc32(head), middle.crc, middle.shift)), end + tail.length);
  after.writeUInt32LE((head.length + middle.length + tail.length) >>> 0, end + tail.length + 4);
  return [before, middle.blocks, after];
}

/** No name, no time (R23), and no word on the system. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

const STORED_BYTES = 5;
const LAST = 1;

/** @returns where the block's bytes begin */
function stored(into: Buffer, at: number, length: number, flag: number): number {
  into.writeUInt8(flag, at);
  into.writeUInt16LE(length, at + 1);
  into.writeUInt16LE(length ^ MAX_STORED, at + 3);
  return at + STORED_BYTES;
}
