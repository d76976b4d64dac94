import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { encodeSseMessage, SSE_KEEP_ALIVE, SseParser, type SseEvent } from "../sse.js";
import { anyStream, bytewise, cutAt, eventsOf, parseChunks } from "./sse-streams.js";

const bytesOf = (text: string): Uint8Array => Buffer.from(text, "utf8");

describe("SseParser", () => {
  test.each([
    ["LF", "data: a\n\ndata: b\n\n"],
    ["CR", "data: a\r\rdata: b\r\r"],
    ["CR LF", "data: a\r\n\r\ndata: b\r\n\r\n"],
    ["a mixture", "data: a\r\n\ndata: b\n\r"],
  ])("reads line breaks of %s, byte by byte too", (_name, stream) => {
    const events = [
      { event: "message", data: "a" },
      { event: "message", data: "b" },
    ];
    expect(parseChunks([bytesOf(stream)])).toEqual({ events });
    expect(parseChunks(bytewise(bytesOf(stream)))).toEqual({ events });
  });

  test.each([
    ["several data lines, joined by LF", "data: a\ndata:\ndata: b\n\n", [{ event: "message", data: "a\n\nb" }]],
    [
      "an event type, for one event only",
      "event: x\ndata: 1\n\ndata: 2\n\n",
      [
        { event: "x", data: "1" },
        { event: "message", data: "2" },
      ],
    ],
    ["an empty event type, which is message", "event:\ndata: 1\n\n", [{ event: "message", data: "1" }]],
    [
      "an id, which stays",
      "id: 7\ndata: 1\n\ndata: 2\n\n",
      [
        { event: "message", data: "1", id: "7" },
        { event: "message", data: "2", id: "7" },
      ],
    ],
    [
      "an id on an event without data, which counts for the next",
      "id: 7\n\ndata: 1\n\n",
      [{ event: "message", data: "1", id: "7" }],
    ],
    ["an id that is taken back", "id: 7\nid\ndata: 1\n\n", [{ event: "message", data: "1", id: "" }]],
    ["an id with a NUL, which is none", "id: a\0b\ndata: 1\n\n", [{ event: "message", data: "1" }]],
    ["one space after the colon, not two", "data:  a \n\n", [{ event: "message", data: " a " }]],
    ["a colon in the value", "data: a: b\n\n", [{ event: "message", data: "a: b" }]],
    ["a field without a colon", "data\n\n", [{ event: "message", data: "" }]],
    [
      "comments and unknown fields, which mean nothing",
      ": hi\nretry: 5\nfoo: bar\nDATA: no\ndata: 1\n\n",
      [{ event: "message", data: "1" }],
    ],
    ["a byte order mark alone on its line, as a blank one", "\uFEFF\ndata: 1\n\n", [{ event: "message", data: "1" }]],
    ["an event without data, which is none", "event: x\n\n", []],
    ["an event that the end cuts off, which is none", "data: a\n\ndata: b\n", [{ event: "message", data: "a" }]],
    [
      "line separators of Unicode, which break no line",
      "data: a\u0085b\u2028c\n\n",
      [{ event: "message", data: "a\u0085b\u2028c" }],
    ],
  ])("reads %s", (_what, stream, events) => {
    expect(parseChunks([bytesOf(stream)])).toEqual({ events });
    expect(parseChunks(bytewise(bytesOf(stream)))).toEqual({ events });
  });

  test("skips a byte order mark at the start of the stream, cut in three as well, and nowhere else", () => {
    const stream = bytesOf("\uFEFFdata: a\n\n\uFEFFdata: b\n\ndata: \uFEFFc\n\n");
    const events = [
      { event: "message", data: "a" },
      { event: "message", data: "\uFEFFc" },
    ];
    expect(parseChunks([stream])).toEqual({ events });
    expect(parseChunks(bytewise(stream))).toEqual({ events });
  });

  test("gives an event as soon as its blank line is there, also one that ends in CR", () => {
    const onEvent = vi.fn<(event: SseEvent) => void>();
    const parser = new SseParser(onEvent);
    parser.push(bytesOf("data: a\r"));
    expect(onEvent).not.toHaveBeenCalled();
    parser.push(bytesOf("\r"));
    expect(onEvent).toHaveBeenCalledTimes(1);
    parser.push(bytesOf("\ndata: b\n\n"));
    expect(onEvent).toHaveBeenLastCalledWith({ event: "message", data: "b" });
  });

  test("gives the events that the standard gives, wherever the stream is cut", () => {
    fc.assert(
      fc.property(anyStream, fc.array(fc.nat(300)), (stream, places) => {
        const events = eventsOf(stream);
        expect(parseChunks(cutAt(stream, places))).toEqual({ events });
        expect(parseChunks(bytewise(stream))).toEqual({ events });
      }),
      { numRuns: 1_000 },
    );
  });

  test("gives back every message that encodeSseMessage wrote, between keep-alives", () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue())), (messages) => {
        const stream = bytesOf(messages.map(encodeSseMessage).join(SSE_KEEP_ALIVE));
        const data = parseChunks([stream]).events.map((event) => event.data);
        expect(data).toEqual(messages.map((message) => JSON.stringify(message)));
      }),
    );
  });

  test("passes on what onEvent throws", () => {
    const parser = new SseParser(() => {
      throw new Error("not now");
    });
    expect(() => {
      parser.push(bytesOf("data: a\n\n"));
    }).toThrow("not now");
  });
});

describe("SseParser's bound", () => {
  const tooLong = new RangeError("a server-sent event is longer than 10 bytes");

  test.each([
    ["one line of data", "data: 12345\n\n"],
    ["a line that never ends", "data: 123456789"],
    ["several lines of data together", "data: 1\ndata: 2\n\n"],
    ["empty lines of data, whose line breaks count", "data\ndata\ndata\n\n"],
    ["a long comment", ":0123456789\n"],
    ["a long field nobody knows", "x: 0123456789\n"],
    ["multi-byte text, in bytes", "data:世世\n\n"],
  ])("refuses %s, in one chunk and byte by byte alike", (_what, stream) => {
    expect(parseChunks([bytesOf(stream)], 10)).toEqual({ events: [], error: tooLong });
    expect(parseChunks(bytewise(bytesOf(stream)), 10)).toEqual({ events: [], error: tooLong });
  });

  test("lets an event of exactly the bound pass, again and again, and one of a byte more not", () => {
    const stream = bytesOf("data:12345\n\n".repeat(3));
    for (const chunks of [[stream], bytewise(stream)]) {
      expect(parseChunks(chunks, 11).events).toHaveLength(3);
      expect(parseChunks(chunks, 10)).toEqual({ events: [], error: tooLong });
    }
  });

  test("gives the events before the one that is too long, then refuses every further push", () => {
    const onEvent = vi.fn<(event: SseEvent) => void>();
    const parser = new SseParser(onEvent, 10);
    expect(() => {
      parser.push(bytesOf("data: a\n\ndata: 123456\n\ndata: b\n\n"));
    }).toThrow(tooLong);
    expect(() => {
      parser.push(bytesOf("\n\ndata: c\n\n"));
    }).toThrow(tooLong);
    expect(onEvent.mock.calls).toEqual([[{ event: "message", data: "a" }]]);
  });

  test("falls at the same event wherever the stream is cut", () => {
    fc.assert(
      fc.property(anyStream, fc.array(fc.nat(300)), fc.integer({ min: 4, max: 40 }), (stream, places, bound) => {
        expect(parseChunks(cutAt(stream, places), bound)).toEqual(parseChunks([stream], bound));
      }),
      { numRuns: 1_000 },
    );
  });

  test("reads 10 MB in chunks of 64 bytes by decoding each byte once and copying it at most three times", () => {
    const megabytes = 10 * 1024 * 1024;
    const stream = bytesOf(`data: ${"x".repeat(megabytes)}\n\n`);
    let decoded = 0;
    let copied = 0;
    const { decode } = TextDecoder.prototype;
    vi.spyOn(TextDecoder.prototype, "decode").mockImplementation(function (
      this: InstanceType<typeof TextDecoder>,
      input,
      options,
    ) {
      decoded += input?.byteLength ?? 0;
      return decode.call(this, input, options);
    });
    const { set } = Uint8Array.prototype;
    vi.spyOn(Uint8Array.prototype, "set").mockImplementation(function (this: Uint8Array, from, at) {
      copied += from.length;
      set.call(this, from, at);
    });
    const lengths: number[] = [];
    const parser = new SseParser(({ data }) => lengths.push(data.length));
    for (let at = 0; at < stream.length; at += 64) parser.push(stream.subarray(at, at + 64));

    expect(lengths).toEqual([megabytes]);
    expect(decoded).toBe(stream.length - 2);
    expect(copied).toBeGreaterThanOrEqual(megabytes);
    expect(copied).toBeLessThanOrEqual(3 * stream.length);
  });
});

test("a keep-alive is a comment, and a message is one event", () => {
  expect(SSE_KEEP_ALIVE).toBe(": keep-alive\n\n");
  expect(encodeSseMessage({ jsonrpc: "2.0", id: 1, result: {} })).toBe(
    'event: message\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n',
  );
});
