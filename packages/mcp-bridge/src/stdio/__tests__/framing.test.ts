import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LineReader } from "../framing.js";

function read(chunks: readonly Buffer[], maxBytes = 1_000_000): { readonly lines: string[]; readonly cut: string[] } {
  const lines: string[] = [];
  const cut: string[] = [];
  const reader = new LineReader(maxBytes, (line, isCut) => {
    (isCut ? cut : lines).push(line.toString());
  });
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return { lines, cut };
}

function split(text: string, at: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const cuts = [...new Set(at.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...cuts].map((start, index) => bytes.subarray(start, cuts[index]));
}

describe("newline framing (2026-07-28, stdio)", () => {
  test("does not copy a line that lies within one chunk (R18)", () => {
    // Not `Buffer.from`: small ones share their memory.
    const chunks = ["first\nsecond\nthi", "rd\nfourth\n"].map((text) => Buffer.alloc(text.length, text));
    const isOfChunk: boolean[] = [];
    const reader = new LineReader(100, (line) => {
      isOfChunk.push(chunks.some(({ buffer }) => buffer === line.buffer));
    });
    for (const chunk of chunks) reader.push(chunk);
    expect(isOfChunk).toEqual([true, true, false, true]);
  });

  test("gives the same lines however the bytes are split, also inside a character", () => {
    const line = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll(/[\n\uD800-\uDFFF]/g, "é"));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), (lines, at) => {
        expect(read(split(lines.map((text) => `${text}\n`).join(""), at)).lines).toEqual(lines);
      }),
    );
  });

  test("keeps blank lines and carriage returns for the reader to judge", () => {
    expect(read([Buffer.from("\n\r\na\r\n")]).lines).toEqual(["", "\r", "a\r"]);
  });

  test("takes what follows the last newline for a line when the stream ends", () => {
    expect(read([Buffer.from("a\nb")]).lines).toEqual(["a", "b"]);
    expect(read([Buffer.from("a\n")]).lines).toEqual(["a"]);
  });

  test.each([
    ["in one chunk", ["123456789\nnext\n"]],
    ["in many", ["12", "34", "56", "78", "9", "\nne", "xt\n"]],
    ["with its newline alone", ["123456789", "\n", "next\n"]],
  ])("cuts a line over the bound, tells it once and goes on with the next: %s", (_, chunks) => {
    const { lines, cut } = read(
      chunks.map((chunk) => Buffer.from(chunk)),
      5,
    );
    expect(cut).toEqual(["12345"]);
    expect(lines).toEqual(["next"]);
  });

  test("lets a line of exactly the bound through", () => {
    expect(read([Buffer.from("12345\n")], 5)).toEqual({ lines: ["12345"], cut: [] });
  });

  test("does not hold what it drops: a line without end costs no more than its bound", () => {
    let told = 0;
    const reader = new LineReader(1_000, () => {
      told += 1;
    });
    for (let chunk = 0; chunk < 100_000; chunk += 1) reader.push(Buffer.alloc(1_000, "x"));
    reader.end();
    expect(told).toBe(1);
  });

  test("hears the end of a line that was cut, however the bytes are split and however long it is", () => {
    for (const [line, at] of [
      ["123456789", []],
      ["123456789", [2, 4, 6, 8]],
      [`${"x".repeat(1_000)}end`, [3, 900, 1_002]],
      [`${"x".repeat(1_000)}end`, Array.from({ length: 400 }, (_, index) => index * 2)],
    ] as const) {
      const tails: string[] = [];
      const reader = new LineReader(
        5,
        () => {},
        (tail) => tails.push(tail),
      );
      for (const chunk of split(`${line}\nnext\n${line}`, at)) reader.push(chunk);
      reader.end();
      expect(tails).toEqual([line.slice(-256), line.slice(-256)]);
    }
  });
});
