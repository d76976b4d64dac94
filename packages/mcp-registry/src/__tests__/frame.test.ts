import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeFrame, MAX_FRAME_BYTES, scanFrames } from "../journal/frame.js";

const values = (bytes: Buffer): unknown[] => scanFrames(bytes).frames.map(({ value }) => value);
const record = fc.dictionary(fc.string(), fc.jsonValue());
const three = [{ a: 1 }, { b: "two\nlines" }, { c: ["ü", "\u2028"] }];

describe("a frame of the journal", () => {
  test("is one line: the length of its JSON, the CRC-32 of it, the JSON", () => {
    expect(encodeFrame({ a: 1 }).toString()).toBe('00000007 561bacaf {"a":1}\n');
  });

  test("counts bytes, not characters, and never holds a line break of its own", () => {
    const text = encodeFrame({ b: "ü\n" }).toString();
    expect(text).toMatch(/^0000000c [0-9a-f]{8} \{"b":"ü\\n"\}\n$/);
  });

  test("has an upper limit, which is allowed", () => {
    const longest = "x".repeat(MAX_FRAME_BYTES - 8);
    expect(values(encodeFrame({ v: longest }))).toEqual([{ v: longest }]);
    expect(() => encodeFrame({ v: `${longest}x` })).toThrow(RangeError);
  });

  test("a length above it is no frame, whatever comes after", () => {
    const json = JSON.stringify({ v: "x".repeat(MAX_FRAME_BYTES) });
    const forged = encodeFrame({}).toString().replace("00000002", json.length.toString(16).padStart(8, "0"));
    expect(scanFrames(Buffer.from(forged.replace("{}", json)))).toMatchObject({ frames: [], firstBad: 0 });
  });
});

describe("scanFrames", () => {
  test("finds all frames and their places", () => {
    const bytes = Buffer.concat(three.map(encodeFrame));
    const { frames, firstBad } = scanFrames(bytes);
    expect(frames.map(({ value }) => value)).toEqual(three);
    expect(firstBad).toBe(bytes.length);
    expect(frames.map(({ end }) => end)).toEqual([...frames.slice(1).map(({ offset }) => offset), bytes.length]);
  });

  test("cut at every byte: the frames before the cut, and where the first is missing", () => {
    const bytes = Buffer.concat(three.map(encodeFrame));
    const ends = scanFrames(bytes).frames.map(({ end }) => end);
    for (let length = 0; length <= bytes.length; length++) {
      const whole = ends.filter((end) => end <= length);
      const { frames, firstBad } = scanFrames(bytes.subarray(0, length));
      expect(frames.map(({ value }) => value)).toEqual(three.slice(0, whole.length));
      expect(firstBad).toBe(whole.at(-1) ?? 0);
    }
  });

  test("every bit flipped: the frame it hits is gone, no other is, and none says anything else", () => {
    const bytes = Buffer.concat(three.map(encodeFrame));
    const { frames } = scanFrames(bytes);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const left = frames.filter(({ offset, end }) => bit >> 3 < offset || bit >> 3 >= end);
      const hit = frames.find((frame) => !left.includes(frame));
      expect(scanFrames(flipped)).toEqual({ frames: left, firstBad: hit?.offset });
    }
  });

  test("text in a value that looks like a frame is none, also when what is around it is damaged", () => {
    const inner = encodeFrame({ evil: true }).toString();
    const outer = encodeFrame({ note: `${inner}${inner}` });
    expect(values(Buffer.concat([outer, encodeFrame({ last: 1 })]))).toHaveLength(2);
    for (let at = 0; at < outer.length; at++) {
      const damaged = Buffer.from(outer);
      damaged[at] = 0x7f;
      expect(values(Buffer.concat([damaged, encodeFrame({ last: 1 })]))).toEqual([{ last: 1 }]);
    }
  });

  test("what is between frames is skipped, and what is no JSON is no frame", () => {
    const [one, two] = [encodeFrame({ a: 1 }), encodeFrame({ a: 2 })];
    expect(values(Buffer.concat([one, Buffer.from("rubbish\n"), two]))).toEqual([{ a: 1 }, { a: 2 }]);
    // A right length and sum of something that no program of ours writes.
    expect(scanFrames(Buffer.from("00000001 15d54739 {\n"))).toMatchObject({ frames: [], firstBad: 0 });
  });

  test("reads back what was encoded, whatever is put between (property)", () => {
    const noise = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.array(fc.tuple(noise, record), { maxLength: 6 }), (parts) => {
        const bytes = Buffer.concat(parts.flatMap(([before, value]) => [before, encodeFrame(value)]));
        const expected = parts.map(([, value]) => JSON.parse(JSON.stringify(value)) as unknown);
        expect(values(bytes)).toEqual(expected);
      }),
    );
  });

  test("never throws, whatever the bytes (property)", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const { frames, firstBad } = scanFrames(Buffer.from(bytes));
        expect(frames).toEqual([]);
        expect(firstBad).toBe(0);
      }),
    );
  });
});
