import { describe, expect, test } from "vitest";
import { matchesAny } from "../if-none-match.js";

const ETAG = '"abc"';

describe("R3b: If-None-Match (RFC 9110, 13.1.2)", () => {
  test.each<[string | undefined, boolean]>([
    [undefined, false],
    ["", false],
    ["*", true],
    [" * ", true],
    ['"abc"', true],
    ['W/"abc"', true],
    ['"x", "abc"', true],
    ['"x","abc","y"', true],
    ['W/"x" , W/"abc"', true],
    ['"x"', false],
    ['"ABC"', false],
    ["abc", false],
    ['"x,\\"abc\\""', false],
    ['"x, abc"', false],
    ['"a", *', false],
    ["*, *", false],
    ['"abc', false],
    ['""', false],
  ])("%j: %s", (field, matches) => {
    expect(matchesAny(field, ETAG)).toBe(matches);
  });

  test("a tag with a comma in it is one tag", () => {
    expect(matchesAny('"x", "a,b"', '"a,b"')).toBe(true);
    expect(matchesAny('"a,b"', '"a"')).toBe(false);
  });
});
