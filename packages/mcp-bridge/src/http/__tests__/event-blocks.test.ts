import fc from "fast-check";
import { SseParser } from "@cortex-os/mcp-core/wire";
import { describe, expect, test } from "vitest";
import { ByteBudget } from "../../byte-budget.js";
import { EventBlocks, type EventBlock } from "../event-blocks.js";
import { HeldBytes } from "../held-bytes.js";

interface Read {
  readonly passed: string;
  readonly messages: string[];
  readonly ids: (string | undefined)[];
  readonly retries: (number | undefined)[];
  readonly held: number;
}

/** What comes out of chunks; stops after `limit` blocks. */
function read(chunks: readonly Buffer[], limit = Infinity, maxBytes = 10_000): Read {
  const budget = new ByteBudget(1_000_000);
  const held = new HeldBytes("up", maxBytes, budget);
  const blocks: EventBlock[] = [];
  const reader = new EventBlocks(held, (block) => blocks.push({ ...block, bytes: Buffer.from(block.bytes) }) < limit);
  for (const chunk of chunks) reader.push(chunk);
  return {
    passed: Buffer.concat(blocks.map(({ bytes }) => bytes)).toString("utf8"),
    messages: blocks.flatMap(({ data }) => (data === undefined ? [] : [data])),
    ids: blocks.map(({ id }) => id),
    retries: blocks.map(({ retryMs }) => retryMs),
    held: budget.held,
  };
}

const one = (text: string, limit?: number): Read => read([Buffer.from(text)], limit);

/** Cuts a text into chunks of these lengths, over and over. */
function cut(text: string, lengths: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const chunks: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? 1;
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return chunks;
}

const line = fc.oneof(
  fc.constantFrom("id: 7", "id", "id:", "retry: 100", "retry:x", "event: message", "event: other", ": note", ":", ""),
  fc.constantFrom("data: {}", "data:é€𝄞", "data", "idle: no id", "retryx: 1"),
);
const streamText = fc
  .tuple(
    fc.constantFrom("", "\uFEFF"),
    fc.array(fc.tuple(line, fc.constantFrom("\n", "\r\n", "\r")), { maxLength: 30 }),
  )
  .map(([mark, lines]) => mark + lines.map(([text, end]) => text + end).join(""));

/** What a client that reads the stream is given: events, and the id it would resume from. */
function asRead(text: string): { event: string; data: string; id: string | undefined }[] {
  const events: { event: string; data: string; id: string | undefined }[] = [];
  const parser = new SseParser(({ event, data, id }) => events.push({ event, data, id }));
  parser.push(Buffer.from(text));
  return events;
}

describe("an event stream cut into blocks (R8)", () => {
  test("each block keeps its bytes, but for the lines that are between the gateway and the upstream", () => {
    const { passed, messages, ids, retries } = one(
      ": hello\n\nid: 1\nevent: message\nretry: 250\ndata: {}\n\ndata:a\ndata:b\r\n\r\nevent: other\ndata: x\n\n",
    );
    expect(passed).toBe(": hello\n\nevent: message\ndata: {}\n\ndata:a\ndata:b\r\n\r\nevent: other\ndata: x\n\n");
    expect(messages).toEqual(["{}", "a\nb"]);
    expect(ids).toEqual([undefined, undefined, "1", undefined, undefined]);
    expect(retries).toEqual([undefined, undefined, 250, undefined, undefined]);
  });

  test("an event that only primes a client to resume is left out altogether", () => {
    const primed = one("id: ev1\nretry: 100\ndata: \n\nid: ev2\n\n");
    expect(primed).toMatchObject({ passed: "", messages: [], ids: ["ev1", "ev2"], retries: [100, undefined] });
  });

  test("ids follow the standard: the empty one takes back, a NUL is ignored, one too long for a header cannot be used", () => {
    expect(one("id\ndata:a\n\nid:a\0b\ndata:b\n\n").ids).toEqual(["", undefined]);
    expect(one(`id:${"x".repeat(5_000)}\ndata:a\n\n`).ids).toEqual([""]);
    expect(one("retry: 1.5\ndata:a\n\nretry\ndata:b\n\n").retries).toEqual([undefined, undefined]);
  });

  test("a byte order mark hides no field", () => {
    expect(one("\uFEFFid: 7\ndata: a\n\n")).toMatchObject({ ids: ["7"], messages: ["a"], passed: "data: a\n\n" });
    expect(one("\uFEFFdata: a\n\n")).toMatchObject({ messages: ["a"], passed: "\uFEFFdata: a\n\n" });
  });

  test("a comment is given at once, without waiting for an empty line, and inside of an event with it", () => {
    expect(one(":\n").passed).toBe(":\n");
    expect(one("data: a\n: b\n").passed).toBe("");
    expect(one("data: a\n: b\n\n")).toMatchObject({ passed: "data: a\n: b\n\n", messages: ["a"] });
  });

  test("a line break of two bytes may be cut in two", () => {
    const chunks = ["id: 1\r", "\ndata: a\r", "\n\r", "\n", "data: b\n", "id: 2\r", "\ndata: c\n\n"];
    const { passed, messages, ids } = read(chunks.map((text) => Buffer.from(text)));
    expect(passed).toBe("data: a\r\n\r\ndata: b\ndata: c\n\n");
    expect(messages).toEqual(["a", "b\nc"]);
    expect(ids.filter((id) => id !== undefined)).toEqual(["1", "2"]);
  });

  test("leaving a line out joins no two line breaks into one", () => {
    expect(one("data: a\rid: 7\n\n")).toMatchObject({ messages: ["a"], ids: ["7"] });
  });

  test("nothing more is given once it is not wanted, not even from the same chunk", () => {
    expect(one("data: a\n\ndata: b\n\n", 1).messages).toEqual(["a"]);
  });

  test("a block beyond the bound is refused, in one chunk and in many", () => {
    const text = `data: ${"x".repeat(200)}\n\n`;
    for (const lengths of [[1_000], [7]])
      expect(() => read(cut(text, lengths), Infinity, 100)).toThrow('Connector "up" answered with more than 100 bytes');
  });

  test("chunk borders change nothing, and a reader of what is passed on gets the same events without ids", () => {
    fc.assert(
      fc.property(
        streamText,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        (text, lengths) => {
          const whole = one(text);
          const inPieces = read(cut(text, lengths));
          expect(inPieces.messages).toEqual(whole.messages);
          expect(asRead(inPieces.passed)).toEqual(asRead(whole.passed));
          const events = asRead(text).map(({ event, data }) => ({ event, data }));
          const passed = asRead(whole.passed);
          expect(passed.every(({ id }) => id === undefined)).toBe(true);
          const empty = ({ data }: { data: string }): boolean => data !== "";
          expect(passed.filter(empty).map(({ event, data }) => ({ event, data }))).toEqual(events.filter(empty));
          expect(whole.messages).toEqual(
            events.filter(({ event, data }) => event === "message" && data !== "").map(({ data }) => data),
          );
          expect(whole.passed).not.toMatch(/^(?:id|retry)(?::|$)/m);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("a stream without ids passes byte by byte as it is, once its last block is whole", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("data: a", "event: x", ": c", "", "data: é"), { maxLength: 20 }),
        fc.constantFrom("\n", "\r\n", "\r"),
        (lines, end) => {
          const text = [...lines, "data: z", "", ""].join(end);
          expect(read(cut(text, [1])).passed).toBe(text);
          expect(read(cut(text, [1])).held).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });
});
