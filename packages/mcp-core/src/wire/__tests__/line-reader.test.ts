import { describe, expect, test } from "vitest";
import { LineReader } from "../line-reader.js";

function readerOf(): { readonly lines: string[]; readonly reader: LineReader } {
  const lines: string[] = [];
  return { lines, reader: new LineReader((line) => lines.push(Buffer.from(line).toString("latin1"))) };
}

describe("LineReader", () => {
  test("holds an unfinished line and says how long it is", () => {
    const { lines, reader } = readerOf();
    reader.push(Buffer.from("ab"));
    reader.push(Buffer.from("c"));
    expect(reader.unfinishedLength).toBe(3);
    reader.push(Buffer.from("d\ne"));
    expect(lines).toEqual(["abcd"]);
    expect(reader.unfinishedLength).toBe(1);
  });

  test("takes CR and LF in two chunks for one line break, with empty chunks between them", () => {
    const { lines, reader } = readerOf();
    for (const chunk of ["a\r", "", "\n", "\n", "b\r", "c\n"]) reader.push(Buffer.from(chunk));
    expect(lines).toEqual(["a", "", "b", "c"]);
  });

  test("keeps nothing of a caller's chunk: it may be overwritten after the push", () => {
    const { lines, reader } = readerOf();
    const chunk = Buffer.from("abc");
    reader.push(chunk);
    chunk.fill("x");
    reader.push(Buffer.from("\n"));
    expect(lines).toEqual(["abc"]);
  });

  test("reads short lines after one that outgrew what it keeps", () => {
    const { lines, reader } = readerOf();
    const long = "x".repeat(200_000);
    const chunks = [long.slice(0, 100_000), long.slice(100_000), "\n", "a", "b\n"];
    for (const chunk of chunks) reader.push(Buffer.from(chunk));
    expect(lines).toEqual([long, "ab"]);
  });
});
