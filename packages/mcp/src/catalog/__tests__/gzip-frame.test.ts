import { constants, crc32, deflateRawSync, gunzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crcOfBoth, shiftOf } from "../crc32-of-both.js";
import { deflatedBytes, gzipFrame, type DeflatedBytes } from "../gzip-frame.js";

const compressed = (plain: Buffer): DeflatedBytes =>
  deflatedBytes(plain, deflateRawSync(plain, { finishFlush: constants.Z_SYNC_FLUSH }));
const bytes = fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each));

describe("a gzip file around bytes that are compressed already", () => {
  test("reads as head, middle and tail, whatever they are", () => {
    const middle = fc.oneof(
      bytes,
      fc.array(fc.constantFrom("{}", '{"name":"x"},'), { maxLength: 300 }).map((each) => Buffer.from(each.join(""))),
    );
    fc.assert(
      fc.property(bytes, middle, bytes, (head, plain, tail) => {
        const pieces = gzipFrame(head, compressed(plain), tail) ?? [];
        expect(gunzipSync(Buffer.concat(pieces)).equals(Buffer.concat([head, plain, tail]))).toBe(true);
      }),
    );
  });

  test("one whose middle is megabytes as well", () => {
    const plain = Buffer.alloc(5_000_000, '{"name":"a tool"},');
    const pieces = gzipFrame(Buffer.from("["), compressed(plain), Buffer.from("]")) ?? [];
    const file = Buffer.concat(pieces);
    expect(file.length).toBeLessThan(50_000);
    expect(gunzipSync(file).toString("latin1")).toBe(`[${plain.toString("latin1")}]`);
  });

  test("the same each time: it holds no date and no system (R23)", () => {
    const once = (): string => {
      const pieces = gzipFrame(Buffer.from("a"), compressed(Buffer.from("b")), Buffer.from("c")) ?? [];
      return Buffer.concat(pieces).subarray(0, 10).toString("hex");
    };
    expect(once()).toBe("1f8b08000000000000ff");
  });

  test.each([
    [65_535, true],
    [65_536, false],
  ])("a head or a tail of %i bytes fits: %s", (length, fits) => {
    const long = Buffer.alloc(length, "x");
    const short = Buffer.from("y");
    for (const [head, tail] of [
      [long, short],
      [short, long],
    ] as const) {
      const pieces = gzipFrame(head, compressed(short), tail);
      expect(pieces !== undefined).toBe(fits);
      if (pieces !== undefined) expect(gunzipSync(Buffer.concat(pieces))).toHaveLength(length + 2);
    }
  });
});

describe("the checksum of two stretches of bytes", () => {
  test("is had of theirs, for any lengths", () => {
    fc.assert(
      fc.property(bytes, bytes, fc.integer({ min: 0, max: 100_000 }), (first, second, more) => {
        const behind = Buffer.concat([second, Buffer.alloc(more, "z")]);
        const both = crcOfBoth(crc32(first), crc32(behind), shiftOf(behind.length));
        expect(both).toBe(crc32(Buffer.concat([first, behind])));
      }),
    );
  });
});
