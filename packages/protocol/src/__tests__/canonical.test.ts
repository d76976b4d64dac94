import { runInNewContext } from "node:vm";
import { GatewayError } from "@cortex-os/mcp-core";
import canonicalize from "canonicalize";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../canonical.js";

// The form itself is pinned by vectors/canonical.json; here is what has none.

const nested = (levels: number): unknown => {
  let value: unknown = {};
  for (let level = 1; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
};

class Point {
  readonly x = 1;
}

describe("R2: the canonical form of a value", () => {
  test("leaves out members that are undefined, as JSON.stringify does", () => {
    expect(canonicalJson({ b: undefined, a: 1, c: { d: undefined } })).toBe('{"a":1,"c":{}}');
  });

  test("takes what has members and nothing else, wherever it was made", () => {
    expect(canonicalJson(Object.assign(Object.create(null), { b: 2, a: 1 }))).toBe('{"a":1,"b":2}');
    expect(canonicalJson(runInNewContext("({ b: [2], a: 1 })"))).toBe('{"a":1,"b":[2]}');
    expect(canonicalJson(new Point())).toBe('{"x":1}');
    expect(canonicalJson({ toJSON: "a member" })).toBe('{"toJSON":"a member"}');
  });

  test("takes one object at two places, which is no cycle", () => {
    const shared = { a: 1 };
    expect(canonicalJson([shared, shared])).toBe('[{"a":1},{"a":1}]');
  });

  const cycle: Record<string, unknown> = {};
  cycle["self"] = [cycle];
  const hole: unknown[] = [1];
  hole[2] = 3;

  test.each([
    { name: "NaN", value: { a: [1, Number.NaN] }, problem: "a[1]: not a finite number" },
    { name: "an infinity", value: -Infinity, problem: "the document: not a finite number" },
    { name: "half of a surrogate pair", value: { a: "\ud800" }, problem: "a: half of a surrogate pair" },
    {
      name: "half of a pair in a name",
      value: { a: { "\udfff": 1 } },
      problem: "a: a member's name holds half of a surrogate pair",
    },
    { name: "nothing", value: undefined, problem: "the document: JSON has no undefined" },
    { name: "undefined in an array", value: [undefined], problem: "[0]: JSON has no undefined" },
    { name: "a hole in an array", value: hole, problem: "[1]: JSON has no undefined" },
    { name: "a function", value: { a: () => 1 }, problem: "a: JSON has no function" },
    { name: "a symbol", value: [Symbol("a")], problem: "[0]: JSON has no symbol" },
    { name: "a bigint", value: { a: 1n }, problem: "a: JSON has no bigint" },
    { name: "a date", value: { a: new Date(0) }, problem: "a: not a plain object" },
    { name: "a map", value: { a: new Map() }, problem: "a: not a plain object" },
    { name: "bytes", value: Buffer.from("a"), problem: "the document: not a plain object" },
    { name: "an object that writes itself", value: { toJSON: () => 1 }, problem: "the document: not a plain object" },
    { name: "a cycle", value: cycle, problem: "deeper than 64 levels, or a cycle" },
    { name: "65 levels", value: nested(65), problem: "deeper than 64 levels, or a cycle" },
    {
      name: "a depth that would overflow the stack",
      value: nested(100_000),
      problem: "deeper than 64 levels, or a cycle",
    },
  ])("does not exist for $name", ({ value, problem }) => {
    const failure = new GatewayError("INVALID_PARAMS", `This has no canonical JSON form: ${problem}`);
    expect(() => canonicalJson(value)).toThrow(failure);
  });

  test("exists for 64 levels", () => {
    expect(JSON.parse(canonicalJson(nested(64)))).toEqual(nested(64));
  });

  test("leaves out a member of the document that is named, and of nothing inside of it", () => {
    const map = { signature: 1, a: { signature: 2 }, z: [{ signature: 3 }] };
    expect(canonicalJson(map, "signature")).toBe('{"a":{"signature":2},"z":[{"signature":3}]}');
    expect(canonicalJson({ signature: 1 }, "signature")).toBe("{}");
  });

  test("is JSON that says the same, its own canonical form, and what the library of RFC 8785's authors writes", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
        fc.pre(JSON.stringify(value).isWellFormed() && !/\\ud[89a-f]/.test(JSON.stringify(value)));
        const text = canonicalJson(value);
        expect(text).toBe(canonicalize(value));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 1_000, seed: 8785 },
    );
  });
});
