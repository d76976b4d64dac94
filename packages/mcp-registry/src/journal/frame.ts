import { crc32 } from "node:zlib";

/** The most bytes of JSON in one frame. */
export const MAX_FRAME_BYTES = 1024 * 1024;

/** A frame that was found whole: its place in the journal and what it says. */
export interface Frame {
  readonly offset: number;
  /** Where the next one begins. */
  readonly end: number;
  readonly value: unknown;
}

/** What {@link scanFrames} found. */
export interface FrameScan {
  /** All whole frames, in the order of the file. */
  readonly frames: readonly Frame[];
  /** Where the first byte is that belongs to no whole frame; the length of the journal when all do. */
  readonly firstBad: number;
}

/** `LLLLLLLL CCCCCCCC `: the length of the JSON and its CRC-32, each as eight hex digits. */
const PREFIX_BYTES = 18;
const SPACE = 0x20;
const NEWLINE = 0x0a;

/**
 * One line of the journal: `LLLLLLLL CCCCCCCC <json>\n`, greppable and self-checking.
 *
 * @throws RangeError when its JSON is longer than {@link MAX_FRAME_BYTES}
 */
export function encodeFrame(value: object): Buffer {
  const json = Buffer.from(JSON.stringify(value));
  if (json.length > MAX_FRAME_BYTES) throw new RangeError(`a frame of ${json.length} bytes is too long`);
  return Buffer.concat([Buffer.from(`${hex(json.length)} ${hex(crc32(json))} `), json, Buffer.from("\n")]);
}

/**
 * Finds every whole frame in the bytes of a journal. After a bad one it looks for the next at every byte, so that damage takes no more than
 * it hits. Never throws, whatever the bytes.
 */
export function scanFrames(bytes: Buffer): FrameScan {
  const frames: Frame[] = [];
  let firstBad = bytes.length;
  for (let at = 0; at < bytes.length;) {
    const frame = frameAt(bytes, at);
    if (frame === undefined) {
      firstBad = Math.min(firstBad, at);
      at++;
    } else {
      frames.push(frame);
      at = frame.end;
    }
  }
  return { frames, firstBad };
}

/** The frame that begins at a place, if one does. */
export function frameAt(bytes: Buffer, offset: number): Frame | undefined {
  const start = offset + PREFIX_BYTES;
  // The two spaces first: where there is no frame they tell it soonest.
  if (bytes[offset + 8] !== SPACE || bytes[start - 1] !== SPACE) return undefined;
  const length = hexAt(bytes, offset);
  const sum = hexAt(bytes, offset + 9);
  if (length === undefined || sum === undefined || length > MAX_FRAME_BYTES) return undefined;
  if (bytes[start + length] !== NEWLINE) return undefined;
  const json = bytes.subarray(start, start + length);
  if (crc32(json) !== sum) return undefined;
  try {
    return { offset, end: start + length + 1, value: JSON.parse(json.toString("utf8")) };
  } catch {
    return undefined;
  }
}

function hexAt(bytes: Buffer, offset: number): number | undefined {
  const digits = bytes.toString("latin1", offset, offset + 8);
  return /^[0-9a-f]{8}$/.test(digits) ? Number.parseInt(digits, 16) : undefined;
}

const hex = (value: number): string => value.toString(16).padStart(8, "0");
