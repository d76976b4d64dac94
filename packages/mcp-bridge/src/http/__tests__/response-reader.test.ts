import { describe, expect, test } from "vitest";
import { AnswerHead } from "../answer-head.js";
import { allHeaders, firstHeader } from "../response-reader.js";

const bytes = (...texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text, "latin1"));

describe("the headers of a response, as bytes", () => {
  test("a name is found however it is written, and of several the first counts", () => {
    const headers = bytes("Content-Typo", "no", "CONTENT-Type", "application/json", "content-type", "text/html");
    expect(firstHeader(headers, "content-type")).toBe("application/json");
    expect(firstHeader(headers, "content-length")).toBeUndefined();
  });

  test("every byte of a value is one character of Latin-1", () => {
    expect(firstHeader(bytes("x", "gr\u00FC\u00DF"), "x")).toBe("gr\u00FC\u00DF");
  });

  test("dispatchers that give texts are understood", () => {
    expect(firstHeader(["Content-Type", "a"], "content-type")).toBe("a");
  });

  test("all of them: names in lower case, several values joined, no name that means something to objects", () => {
    const all = allHeaders(bytes("A", "1", "a", "2", "__proto__", "x"));
    expect(all["a"]).toBe("1, 2");
    expect(Object.hasOwn(all, "__proto__")).toBe(true);
    expect(Object.getPrototypeOf(all)).toBe(Object.prototype);
  });
});

describe("the head of an answer", () => {
  test("says which form the body has, whatever stands behind the type", () => {
    expect(new AnswerHead(200, bytes("content-type", "application/json; charset=utf-8")).form).toBe("json");
    expect(new AnswerHead(200, bytes("content-type", "text/event-stream")).form).toBe("sse");
    expect(new AnswerHead(200, bytes("content-type", "text/html")).form).toBeUndefined();
    expect(new AnswerHead(200, []).form).toBeUndefined();
  });

  test.each([
    [["content-type", "a"], { "content-type": "a" }],
    [["content-length", "1"], { "content-length": "1" }],
    [["Content-Length", "1", "Content-Type", "a"], { "content-type": "a", "content-length": "1" }],
    [
      ["cache-control", "no-store", "x-accel-buffering", "no"],
      { "cache-control": "no-store", "x-accel-buffering": "no" },
    ],
    [["set-cookie", "s=1", "server", "x", "mcp-session-id", "secret", "content-type", "a"], { "content-type": "a" }],
    [[], {}],
  ])("of %j a client sees %j", (headers, seen) => {
    expect(new AnswerHead(200, bytes(...headers)).passedOn()).toEqual(seen);
  });

  test("an encoding that nobody asked for is named", () => {
    const head = new AnswerHead(200, bytes("content-type", "application/json", "content-encoding", "br"));
    expect(head.hasForeignEncoding).toBe(true);
    expect(head.describe()).toBe('answered in the encoding "br", which was not asked for');
    expect(new AnswerHead(200, bytes("content-encoding", "identity")).hasForeignEncoding).toBe(false);
  });
});
