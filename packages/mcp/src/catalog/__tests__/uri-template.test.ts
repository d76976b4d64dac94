import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { literalLength, matchUriTemplate, parseUriTemplate } from "../uri-template.js";

const match = (template: string, uri: string): readonly string[] | undefined =>
  matchUriTemplate(parseUriTemplate(template), uri);

describe("URI templates (RFC 6570)", () => {
  test.each([
    ["a://{x}", "a://b", ["b"]],
    ["a://{x}/c", "a://b/c", ["b"]],
    ["a://{x}/c", "a://b/d", undefined],
    ["a://{x}/{y}", "a://b/c/d", ["b", "c/d"]],
    ["a://x{?q,r}", "a://x?q=1&r=2", ["?q=1&r=2"]],
    ["a://x{?q}", "a://x", [""]],
    ["a://{x}", "b://b", undefined],
    ["a://x", "a://x", []],
    ["a://x", "a://xy", undefined],
    ["{+all}", "anything:at/all", ["anything:at/all"]],
    ["a://{x", "a://{x", []],
    ["a://{x}b{y}b", "a://1b2b", ["1", "2"]],
    ["ab{x}ba", "aba", undefined],
    ["ab{x}bc{y}cd", "abXbcd", undefined],
    ["", "", []],
  ])("%j and %j: %j", (template, uri, values) => {
    expect(match(template, uri)).toEqual(values);
  });

  test("R22: what a template was filled with makes it match, whatever that is", () => {
    const literal = fc.stringMatching(/^[a-z:/]{0,6}$/);
    const value = fc.stringMatching(/^[A-Z0-9%]{0,6}$/);
    fc.assert(
      fc.property(literal, fc.array(fc.tuple(value, literal), { maxLength: 5 }), (first, rest) => {
        const template = first + rest.map(([, after], at) => `{v${at}}${after}`).join("");
        const uri = first + rest.map(([filled, after]) => filled + after).join("");
        expect(match(template, uri)).toBeDefined();
      }),
    );
  });

  test("a hostile template costs no more than a look for each of its literals (CVE-2026-0621)", () => {
    const template = parseUriTemplate("{a}x".repeat(2_000));
    expect(matchUriTemplate(template, "x".repeat(1_000))).toBeUndefined();
    expect(matchUriTemplate(template, "y".repeat(100_000))).toBeUndefined();
  });

  test("the more is literal, the closer it matches", () => {
    expect(literalLength(parseUriTemplate("a://{x}/c"))).toBe(6);
    expect(literalLength(parseUriTemplate("{x}"))).toBe(0);
  });
});
