import { describe, expect, test } from "vitest";
import { mismatch, type CallOutcome } from "../expected.js";

const outcome = (more: Partial<CallOutcome>): CallOutcome => ({
  text: "",
  isError: false,
  structured: undefined,
  ...more,
});

describe("what a call must give", () => {
  test.each([
    ["the whole text, blank ends aside", outcome({ text: "42\n" }), { text: "42" }],
    ["parts of the text", outcome({ text: "a b c" }), { includes: ["a", "c"] }],
    [
      "a part of an object, however deep",
      outcome({ structured: { a: { b: 1, c: 2 }, d: 3 } }),
      { structured: { a: { b: 1 } } },
    ],
    ["each item of an array", outcome({ structured: [{ a: 1, b: 2 }, 3] }), { structured: [{ a: 1 }, 3] }],
    ["text and structure", outcome({ text: "x", structured: { a: null } }), { text: "x", structured: { a: null } }],
  ])("is met by %s", (_what, given, expected) => {
    expect(mismatch(given, expected)).toBeUndefined();
  });

  test.each([
    ["another text", outcome({ text: "421" }), { text: "42" }, "expected the text 42, got 421"],
    ["a missing part", outcome({ text: "a b" }), { includes: ["a", "c"] }, "expected c in the text, got a b"],
    ["no structure", outcome({}), { structured: {} }, "expected {} in the structured content, got nothing"],
    ["another value", outcome({ structured: { a: 1 } }), { structured: { a: "1" } }, 'got {"a":1}'],
    ["a longer array", outcome({ structured: [1, 2] }), { structured: [1] }, "got [1,2]"],
    ["an object for an array", outcome({ structured: { 0: 1 } }), { structured: [1] }, 'got {"0":1}'],
  ])("is not met by %s", (_what, given, expected, why) => {
    expect(mismatch(given, expected)).toContain(why);
  });

  test("is never met by a tool that says that it failed", () => {
    expect(mismatch(outcome({ text: "42", isError: true }), { text: "42" })).toBe("the tool failed: 42");
  });

  test("is shown cut off, so that a long answer does not fill the screen", () => {
    expect(mismatch(outcome({ text: "x".repeat(9_999) }), { text: "42" })).toHaveLength(
      "expected the text 42, got ".length + 200,
    );
  });
});
