import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { duplicateHeader } from "../duplicate-header.js";

const SINGLE = ["host", "authorization", "origin", "content-type", "content-length"];

/** The rule, said once more as simply as it can be. */
function ruled(rawHeaders: readonly string[]): string | undefined {
  const names = rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
  const single = (name: string): boolean => SINGLE.includes(name) || name.startsWith("mcp-");
  return names.find((name, at) => single(name) && names.indexOf(name) < at);
}

/** Each letter in either case. */
const spelled = (name: string): fc.Arbitrary<string> =>
  fc
    .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
    .map((upper) => Array.from(name, (letter, at) => (upper[at] === true ? letter.toUpperCase() : letter)).join(""));

const NAMES = [
  ...SINGLE,
  ...["mcp-protocol-version", "mcp-method", "mcp-name", "mcp-session-id", "mcp-param-a", "mcp-param-b", "mcp-", "mcp"],
  ...[
    "accept",
    "accept-language",
    "connection",
    "sec-fetch-mode",
    "sec-fetch-dest",
    "x-forwarded-for",
    "abc-",
    "ab",
    "a",
  ],
];

const headers = fc
  .array(fc.tuple(fc.oneof(fc.constantFrom(...NAMES).chain(spelled), fc.string()), fc.string()), { maxLength: 40 })
  .map((pairs) => pairs.flat());

/** Names without values, and how many times one was looked at. */
function counted(names: readonly string[]) {
  const seen = { looks: 0 };
  const rawHeaders = new Proxy(
    names.flatMap((name) => [name, ""]),
    {
      get: (target, key, receiver): unknown => {
        if (key !== "length") seen.looks += 1;
        return Reflect.get(target, key, receiver);
      },
    },
  );
  return { rawHeaders, seen };
}

describe("a header that may come only once (reliability.md, threats 1 to 3)", () => {
  test("is found when it comes twice, whatever its name, its spelling and its place, and no other is", () => {
    fc.assert(
      fc.property(headers, (rawHeaders) => {
        expect(duplicateHeader(rawHeaders)).toBe(ruled(rawHeaders));
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ["of one length that are none of them", Array.from({ length: 2_000 }, () => "abc-")],
    ["of MCP's, all of one length", Array.from({ length: 1_600 }, (_, at) => `MCP-${String(at).padStart(4, "0")}`)],
  ])("thousands of names %s cost no more than going through them (R18)", (_, names) => {
    const { rawHeaders, seen } = counted(names);
    expect(duplicateHeader(rawHeaders)).toBeUndefined();
    expect(seen.looks).toBeLessThanOrEqual(2 * names.length);
  });
});
