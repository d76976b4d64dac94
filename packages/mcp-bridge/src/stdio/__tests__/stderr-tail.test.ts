import { describe, expect, test } from "vitest";
import { printable } from "../../upstream-text.js";
import { redactorOf } from "../../redact.js";
import { StderrTail } from "../stderr-tail.js";

function tailOf(chunks: readonly string[], secrets: readonly string[] = []): { tail: StderrTail; lines: string[] } {
  const lines: string[] = [];
  const tail = new StderrTail({ redact: redactorOf(secrets), onLine: (line) => lines.push(line) });
  for (const chunk of chunks) tail.push(Buffer.from(chunk));
  tail.end();
  return { tail, lines };
}

describe("what is kept of stderr", () => {
  test("tells each line once and remembers the last", () => {
    const { tail, lines } = tailOf(["one\ntw", "o\n\n  \nthree"]);
    expect(lines).toEqual(["one", "two", "three"]);
    expect(tail.lastLine).toBe("three");
    expect(tail.text).toBe("one\ntwo\nthree");
  });

  test("has no last line while nothing was said", () => {
    expect(tailOf([]).tail.lastLine).toBe("");
  });

  test("never keeps more than 8 KiB, however much is written", () => {
    const { tail, lines } = tailOf(Array.from({ length: 1_000 }, (_, index) => `${index} ${"x".repeat(100)}\n`));
    expect(lines).toHaveLength(1_000);
    expect(tail.text.length).toBeLessThanOrEqual(8_192);
    expect(tail.text.split("\n").at(-1)).toContain("999 ");
    expect(tailOf(["y".repeat(100_000)]).tail.text.length).toBeLessThanOrEqual(8_192);
  });

  test("hides a secret in pieces of a line, and one that a cut goes through", () => {
    const secret = "s3cret-0123456789";
    const { lines } = tailOf(
      ["key=s3cret-01", "23456789 ok\n", `${"x".repeat(8_180)}${secret}${"y".repeat(50)}\n`],
      [secret],
    );
    expect(lines[0]).toBe("key=[redacted] ok");
    expect(lines[1]).not.toContain("s3cret");
  });
});

describe("hiding secrets", () => {
  test("hides the longer of two that overlap first, and every line of one with several", () => {
    const redact = redactorOf(["abcd", "abcdefgh", "-----BEGIN\nline one\n\nline two\n"]);
    expect(redact("abcdefgh abcd")).toBe("[redacted] [redacted]");
    expect(redact("x line one y line two")).toBe("x [redacted] y [redacted]");
    expect(redact.longest).toBe("-----BEGIN".length);
  });

  test("leaves settings alone that are too short to be secrets", () => {
    const redact = redactorOf(["1", "on", ""]);
    expect(redact("1 on 1")).toBe("1 on 1");
    expect(redact.longest).toBe(0);
  });

  test("makes upstream text one short printable line", () => {
    expect(printable("a\u001B[31mb\r\n\u2028c\u0000")).toBe("a [31mb c");
    expect(printable("x".repeat(300))).toHaveLength(200);
    expect(printable("x".repeat(300)).endsWith("…")).toBe(true);
  });
});
