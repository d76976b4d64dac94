import { PassThrough, Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { LineWriter } from "../line-writer.js";

function writerOver(highWaterMark: number, maxQueuedBytes: number): { writer: LineWriter; read: () => string } {
  const stream = new PassThrough({ highWaterMark });
  stream.setEncoding("utf8");
  return {
    writer: new LineWriter(stream, maxQueuedBytes),
    read: () => {
      let text = "";
      for (let chunk: string | null = stream.read(); chunk !== null; chunk = stream.read()) text += chunk;
      return text;
    },
  };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function readAll(read: () => string): Promise<string> {
  let text = "";
  for (let round = 0; round < 50; round += 1) {
    text += read();
    await settle();
  }
  return text;
}

describe("writing to a child's stdin", () => {
  test("keeps the order of lines across a reader that falls behind", async () => {
    const { writer, read } = writerOver(8, 10_000);
    const lines = Array.from({ length: 20 }, (_, index) => `line ${index}\n`);
    for (const line of lines) expect(writer.write(line)).toBeDefined();
    expect(await readAll(read)).toBe(lines.join(""));
  });

  test("refuses what would make more wait than allowed, and takes lines again later", async () => {
    const { writer, read } = writerOver(4, 20);
    expect(writer.write("0123456789\n")).toBeDefined();
    expect(writer.write("0123456\n")).toBeDefined();
    expect(writer.write("0123456789\n")).toBeUndefined();
    await readAll(read);
    expect(writer.write("0123456789\n")).toBeDefined();
  });

  test("takes one line over the bound when nothing else waits", async () => {
    const { writer, read } = writerOver(4, 5);
    expect(writer.write("0123456789\n")).toBeDefined();
    expect(writer.write("x\n")).toBeUndefined();
    expect(await readAll(read)).toBe("0123456789\n");
  });

  test("takes back a line that was not sent yet, and says so only then", async () => {
    const { writer, read } = writerOver(4, 1_000);
    const sent = writer.write("sent first\n");
    await settle();
    writer.write("fills the pipe\n");
    const queued = writer.write("taken back\n");
    const last = writer.write("last\n");
    expect(sent?.withdraw()).toBe(false);
    expect(queued?.withdraw()).toBe(true);
    expect(queued?.withdraw()).toBe(false);
    expect(await readAll(read)).toBe("sent first\nfills the pipe\nlast\n");
    expect(last?.withdraw()).toBe(false);
  });

  test("sends the lines of one turn in one write, and takes any of them back before it (R18)", async () => {
    const writes: string[] = [];
    const stream = new Writable({
      decodeStrings: false,
      write: (text: string, _encoding, done) => {
        writes.push(text);
        done();
      },
    });
    const writer = new LineWriter(stream, 1_000);
    const lines = ["a\n", "b\n", "c\n"].map((line) => writer.write(line));
    expect(writes).toEqual([]);
    expect(lines[1]?.withdraw()).toBe(true);
    await settle();
    writer.write("d\n");
    writer.close();
    await settle();
    expect(writes).toEqual(["a\nc\n", "d\n"]);
  });

  test("hands a reader that is behind no more than it must, so that the rest can still be taken back", async () => {
    const { writer, read } = writerOver(1_024, 10_000_000);
    const line = `${"x".repeat(9_999)}\n`;
    const lines = Array.from({ length: 100 }, () => writer.write(line));
    await settle();
    const taken = lines.filter((each) => each?.withdraw() === true).length;
    expect(taken).toBeGreaterThan(80);
    expect((await readAll(read)).length).toBe((100 - taken) * line.length);
  });

  test("takes nothing after it was closed, and closing twice is fine", () => {
    const { writer } = writerOver(4, 1_000);
    writer.close();
    writer.close();
    expect(writer.write("x\n")).toBeUndefined();
  });
});
