import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFAULT_NAME_POLICY, distinctToolName, isConnectorKey, publicToolName } from "../names.js";

const policy = DEFAULT_NAME_POLICY;
const keys = fc.stringMatching(/^[A-Za-z0-9_-]{1,32}$/);
const cleanNames = fc.stringMatching(/^[A-Za-z0-9_-]{1,80}$/);
const anyNames = fc.oneof(cleanNames, fc.string({ unit: "binary" }), fc.string({ minLength: 40, maxLength: 80 }));
const separators = fc.constantFrom("__", "_", "-", ".");

test.each([
  ["a", true],
  ["Az09_-", true],
  ["x".repeat(32), true],
  ["x".repeat(33), false],
  ["", false],
  ["a.b", false],
  ["a/b", false],
  ["..", false],
  ["a b", false],
  ["a\n", false],
  ["é", false],
])("isConnectorKey(%j) is %s", (key, expected) => {
  expect(isConnectorKey(key)).toBe(expected);
});

test("the default policy is design.md's", () => {
  expect(DEFAULT_NAME_POLICY).toEqual({ separator: "__", maxLength: 50, prefix: "always" });
});

describe("distinctToolName", () => {
  test("is the prefixed name with the digest that a changed or long one gets", () => {
    expect(distinctToolName("a", "read", DEFAULT_NAME_POLICY)).toBe("a__read_d6b8dade");
    for (const tool of ["read file", "r".repeat(60)])
      expect(distinctToolName("a", tool, DEFAULT_NAME_POLICY)).toBe(
        publicToolName("a", tool, DEFAULT_NAME_POLICY, true),
      );
  });
});

describe("publicToolName (design.md, decision 4)", () => {
  test.each([
    ["github", "search", true, "github__search"],
    ["github", "search", false, "search"],
    ["k", "x".repeat(47), true, `k__${"x".repeat(47)}`],
    ["k", "x".repeat(48), true, "k__xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_c49ce63d"],
    ["k", "x".repeat(51), false, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_5545f722"],
    ["fs", "read file", true, "fs__read_file_fe5680de"],
    ["fs", "read.file", true, "fs__read_file_a70c2700"],
    ["fs", "читать", false, "_______b8f7d8a6"],
  ])("%s, %s, prefixed %s: %s", (key, tool, prefixed, expected) => {
    expect(publicToolName(key, tool, policy, prefixed)).toBe(expected);
  });

  test("keeps a separator of `.` in a name that it leaves as it is and in one that it cuts", () => {
    const dotted = { separator: ".", maxLength: 50 };
    expect(publicToolName("github", "search", dotted, true)).toBe("github.search");
    expect(publicToolName("github", "a.b", dotted, true)).toMatch(/^github\.a_b_[0-9a-f]{8}$/);
  });

  test("is never longer than maxLength, however small, and holds only letters, digits, _, - and the separator", () => {
    fc.assert(
      fc.property(keys, anyNames, separators, fc.nat(80), fc.boolean(), (key, tool, separator, maxLength, prefixed) => {
        const name = publicToolName(key, tool, { separator, maxLength }, prefixed);
        expect(name.length).toBeLessThanOrEqual(maxLength);
        expect(name.replace(separator, "")).toMatch(/^[A-Za-z0-9_-]*$/);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    [0, ""],
    [1, "_"],
    [5, "_fe56"],
    [9, "_fe5680de"],
    [10, "f_fe5680de"],
  ])("with a maxLength of %i the digest comes first: %j", (maxLength, expected) => {
    expect(publicToolName("fs", "read file", { separator: "__", maxLength }, true)).toBe(expected);
  });

  test("leaves a clean name that fits as it is", () => {
    fc.assert(
      fc.property(keys, cleanNames, separators, fc.boolean(), (key, tool, separator, prefixed) => {
        const whole = prefixed ? key + separator + tool : tool;
        expect(publicToolName(key, tool, { separator, maxLength: whole.length }, prefixed)).toBe(whole);
      }),
    );
  });

  test("keeps any two tools whose names it changed apart, also two of one spelling from two connectors", () => {
    const odd = fc.oneof(
      fc.string({ unit: "binary" }).map((name) => `${name} `),
      fc.constantFrom("a b", "a.b", "a/b", "é", "è", "", " "),
      fc.string({ minLength: 51, maxLength: 60 }),
    );
    const tools = fc.tuple(fc.oneof(keys, fc.constantFrom("a", "a_", "a__b")), odd);
    fc.assert(
      fc.property(tools, tools, fc.integer({ min: 9, max: 60 }), fc.boolean(), (one, other, maxLength, prefixed) => {
        const nameOf = ([key, tool]: readonly [string, string]): string =>
          publicToolName(key, tool, { separator: "__", maxLength }, prefixed);
        const plain = ([key, tool]: readonly [string, string]): string => (prefixed ? `${key}__${tool}` : tool);
        fc.pre(nameOf(one) !== plain(one) && nameOf(other) !== plain(other));
        const same = one[0] === other[0] && one[1] === other[1];
        expect(nameOf(one) === nameOf(other)).toBe(same);
      }),
      { numRuns: 1_000 },
    );
  });
});
