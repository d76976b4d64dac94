import * as fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { JsonValue } from "../json-rpc.js";
import { findCaseVariant, isDeeperThan, isTextDeeperThan, MAX_JSON_DEPTH } from "../strict.js";

const parse = (text: string): JsonValue => JSON.parse(text);
const arrays = (depth: number): JsonValue => parse("[".repeat(depth) + "]".repeat(depth));
const objects = (depth: number): JsonValue => parse('{"a":'.repeat(depth - 1) + "{}" + "}".repeat(depth - 1));

/** The depth by definition, for values small enough to recurse into. */
const depthOf = (value: unknown): number =>
  typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

describe("isDeeperThan", () => {
  test("draws the line at 64 levels", () => {
    expect(MAX_JSON_DEPTH).toBe(64);
    for (const nest of [arrays, objects]) {
      expect(isDeeperThan(nest(64), MAX_JSON_DEPTH)).toBe(false);
      expect(isDeeperThan(nest(65), MAX_JSON_DEPTH)).toBe(true);
    }
  });

  test("stops at the limit: 200,000 levels overflow no stack", () => {
    for (const nest of [arrays, objects]) expect(isDeeperThan(nest(200_000), MAX_JSON_DEPTH)).toBe(true);
  });

  test.each([
    ["a string", "x"],
    ["null", null],
    ["nothing", undefined],
  ])("%s has no depth", (_name, value) => {
    expect(isDeeperThan(value, 0)).toBe(false);
  });

  test("looks into every member, also one called __proto__", () => {
    const value = parse(`{"a":1,"__proto__":${"[".repeat(64)}${"]".repeat(64)}}`);
    expect(isDeeperThan(value, MAX_JSON_DEPTH)).toBe(true);
    expect(isDeeperThan([1, "x", arrays(64)], MAX_JSON_DEPTH)).toBe(true);
  });

  test("agrees with the definition for any JSON and any limit", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(8), (value, limit) => {
        expect(isDeeperThan(value as JsonValue, limit)).toBe(depthOf(value) > limit);
      }),
    );
  });
});

describe("isTextDeeperThan", () => {
  test("agrees with isDeeperThan for any JSON, however it is written, and any limit", () => {
    const spaces = fc.constantFrom("", " ", "\n", "\t");
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: "binary" }), fc.nat(8), spaces, (value, limit, space) => {
        const text = Buffer.from(JSON.stringify(value, undefined, space));
        expect(isTextDeeperThan(text, limit)).toBe(isDeeperThan(parse(text.toString()), limit));
      }),
    );
  });

  test.each([
    ['{"[[[":"]]]{{{"}', 1],
    ['["\\"[[[","\\\\",["\\\\\\"]"]]', 2],
    ['[[],[],{},{"a":{}}]', 3],
    ['"[["', 0],
    ["1", 0],
    ["", 0],
  ])("%s is %i deep", (text, depth) => {
    expect(isTextDeeperThan(Buffer.from(text), depth)).toBe(false);
    expect(depth > 0 && !isTextDeeperThan(Buffer.from(text), depth - 1)).toBe(false);
  });

  test("counts what a duplicate key hides, and stops at the limit", () => {
    expect(isTextDeeperThan(Buffer.from('{"a":[[]],"a":1}'), 2)).toBe(true);
    expect(isTextDeeperThan(Buffer.alloc(4_000_000, "["), MAX_JSON_DEPTH)).toBe(true);
  });

  test("an unfinished string ends with the text", () => {
    for (const text of ['"', '["\\', '["[[[[']) expect(isTextDeeperThan(Buffer.from(text), 1)).toBe(false);
  });
});

describe("findCaseVariant (threat 5: JSON smuggling)", () => {
  test.each([
    ['{"jsonrpc":"2.0","id":1,"Method":"x"}', "Method"],
    ['{"JSONRPC":"2.0"}', "JSONRPC"],
    ['{"iD":1}', "iD"],
    ['{"Result":{}}', "Result"],
    ['{"params":{"name":"allowed","Name":"forbidden"}}', "Name"],
    ['{"params":{"URI":"file:///etc"}}', "URI"],
    ['{"params":{"_META":{}}}', "_META"],
    ['{"params":{"Arguments":{}}}', "Arguments"],
    ['{"params":{"Cursor":""}}', "Cursor"],
    ['{"params":{"Ref":{}}}', "Ref"],
    ['{"params":{"taskID":"1"}}', "taskID"],
    ['{"params":{"requeststate":""}}', "requeststate"],
    ['{"params":{"inputresponses":{}}}', "inputresponses"],
    ['{"param\\u017F":{}}', "param\u017F"],
    ['{"params":{"argument\\u017f":{}}}', "argument\u017f"],
    ['{"params":{"ta\\u017F\\u212AId":""}}', "ta\u017F\u212AId"],
    ['{"\\u0130d":1}', "\u0130d"],
    ['{"\\u0131d":1}', "\u0131d"],
    ['{"params":{"ur\\u0131":""}}', "ur\u0131"],
    ['{"params":{"\\uFF4Eame":""}}', "\uFF4Eame"],
  ])("finds the variant in %s", (text, key) => {
    expect(findCaseVariant(parse(text))).toBe(key);
  });

  test.each([
    '{"jsonrpc":"2.0","id":1,"method":"x","params":{"name":"x","arguments":{},"_meta":{},"cursor":"","uri":""}}',
    '{"params":{"ref":{},"taskId":"1","inputResponses":{},"requestState":"s"}}',
    '{"params":{"arguments":{"Name":"x","METHOD":"y"}}}',
    '{"params":{"_meta":{"Name":"x"}}}',
    '{"params":{"names":1,"na-me":1,"n\\u00e4me":1,"title":1}}',
    '{"params":[{"Name":"x"}],"__proto__":{"Method":"x"},"constructor":1}',
    '{"Name":"x","params":{"Method":"y"}}',
    "[]",
    '"Method"',
    "null",
  ])("leaves %s alone", (text) => {
    expect(findCaseVariant(parse(text))).toBeUndefined();
  });

  test("finds every spelling of every reserved key in mixed case", () => {
    const top = ["jsonrpc", "id", "method", "params", "result", "error"];
    const inParams = ["name", "uri", "arguments", "_meta", "cursor", "ref", "taskId", "inputResponses", "requestState"];
    fc.assert(
      fc.property(fc.constantFrom(...top, ...inParams), fc.array(fc.boolean(), { minLength: 14 }), (key, upper) => {
        const mixed = key.replace(/./g, (letter, at: number) =>
          upper[at] ? letter.toUpperCase() : letter.toLowerCase(),
        );
        const message = top.includes(key) ? { [mixed]: 1 } : { params: { [mixed]: 1 } };
        expect(findCaseVariant(message)).toBe(mixed === key ? undefined : mixed);
      }),
    );
  });

  test("finds a variant in the longest spelling there is", () => {
    // Mathematical letters take two UTF-16 units each; a dot above an i is one more.
    const bold = Array.from("inputresponses", (letter) => String.fromCodePoint(0x1d41a - 97 + letter.charCodeAt(0)));
    const key = bold.join("").replace(bold[0] ?? "", `${bold[0]}\u0307`);
    expect(key).toHaveLength(29);
    expect(findCaseVariant({ params: { [key]: {} } })).toBe(key);
  });

  test("folds nothing that cannot be a variant: no long key, no plain one (threat 30: one request must not stop the loop)", () => {
    const normalize = vi.spyOn(String.prototype, "normalize");
    onTestFinished(() => {
      normalize.mockRestore();
    });
    const keys = ["\ufdfa".repeat(33), "Name".repeat(9), "k1", "na-me", "{}", "\0", "x".repeat(1_000)];
    expect(findCaseVariant({ params: Object.fromEntries(keys.map((key) => [key, 1])) })).toBeUndefined();
    expect(normalize).not.toHaveBeenCalled();
    expect(findCaseVariant({ params: { Name: 1 } })).toBe("Name");
    expect(normalize).toHaveBeenCalledTimes(1);
  });

  test("never throws on any JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
        const found = findCaseVariant(value);
        expect(found === undefined || typeof found === "string").toBe(true);
      }),
    );
  });

  test("an exact duplicate is harmless: the object that was checked holds the last one, and so does what is forwarded", () => {
    const text = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"allowed","name":"last"}}';
    const message = parse(text);
    expect(findCaseVariant(message)).toBeUndefined();
    expect(message).toMatchObject({ params: { name: "last" } });
    expect(JSON.stringify(message)).toBe('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"last"}}');
  });
});
