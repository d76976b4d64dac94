import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { placeOf } from "../place.js";
import { parseStrictJson } from "../strict-json.js";
import { survivesReading } from "../strict-number.js";

// What is read and what is not is pinned by vectors/canonical.json; here are the reasons, the places and the costs.

const reasonOf = (text: string): string => {
  const json = parseStrictJson(text);
  return json.ok ? "read" : json.reason;
};

describe("R2: JSON that means the same to every reader", () => {
  test.each([
    { text: "", reason: "is not JSON: it is empty" },
    { text: " \n", reason: "is not JSON: it is empty" },
    { text: " <!doctype html>", reason: 'is not JSON: it begins with "<", as an HTML page does' },
    { text: '{"a":1 "b":2}', reason: "is not JSON (at position 7)" },
    { text: '{"a":', reason: "is not JSON" },
    { text: "secret", reason: "is not JSON" },
    { text: '{"a":1,"a":2}', reason: 'the document: holds "a" twice' },
    { text: '{"x":[0,{"a":{},"b":{"a":[1,2],"\\u0061":3}}]}', reason: 'x[1].b: holds "a" twice' },
    { text: '[{"a":1},{"a":2},{"b":[{"a":1}],"a":[],"b":0}]', reason: '[2]: holds "b" twice' },
    {
      text: '[[],[0,1],[0,{"odd name":[1e999]}]]',
      reason: '[2][1]["odd name"][0]: a number that a double cannot carry as it is written',
    },
    { text: '{"a":[{"\\u005f_proto__":1}]}', reason: "a[0]: holds a member called __proto__" },
    { text: '{"a":"\\ud800"}', reason: "a: half of a surrogate pair" },
    { text: '{"a":{"\\udc00":1}}', reason: "a: a name holds half of a surrogate pair" },
    { text: '"\\ud800"', reason: "the document: half of a surrogate pair" },
    { text: `${"[".repeat(65)}${"]".repeat(65)}`, reason: "nests deeper than 64 levels" },
  ])("refuses $text: $reason", ({ text, reason }) => {
    expect(reasonOf(text)).toBe(reason);
  });

  test.each([
    '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}',
    '{"a":"a","b":"a","c":"\\"a\\":1,\\"a\\":2"}',
    '{"a":",","b":"{[","c":"]}","d":"\\\\"}',
    '["a","a",[],{},"a"]',
    '{"":{"":{"":""}}}',
    "  true ",
    "-0.0",
    '{"proto":{"__proto_":1},"constructor":2,"a":"__proto__"}',
  ])("reads %s", (text) => {
    expect(parseStrictJson(text)).toEqual({ ok: true, value: JSON.parse(text) });
  });

  test("reads whatever JSON.stringify writes of objects without odd strings", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 3 }), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        fc.pre(!text.includes("__proto__"));
        const json = parseStrictJson(text);
        expect(json).toEqual({ ok: true, value: JSON.parse(text) });
      }),
      { numRuns: 1_000, seed: 7493 },
    );
  });

  test("finds a name that was put in a second time, wherever that is", () => {
    const inner = fc.dictionary(
      fc.string({ minLength: 1 }).filter((name) => name !== "__proto__"),
      fc.constant(0),
      { minKeys: 1, maxKeys: 5 },
    );
    fc.assert(
      fc.property(fc.array(inner, { minLength: 1 }), fc.nat(), fc.nat(), (objects, where, which) => {
        const texts = objects.map((object) => JSON.stringify(object));
        const at = where % objects.length;
        const names = Object.keys(objects[at] ?? {});
        const name = JSON.stringify(names[which % names.length]);
        texts[at] = `${String(texts[at]).slice(0, -1)},${name}:1}`;
        expect(reasonOf(`[${texts.join(",")}]`)).toMatch(new RegExp(`^\\[${at}\\]: holds .* twice$`, "su"));
      }),
      { numRuns: 500, seed: 7493 },
    );
  });

  test("reads hostile text of a megabyte without recursion and in linear time", () => {
    const size = 1_000_000;
    expect(reasonOf("[".repeat(size))).toMatch(/^is not JSON/);
    expect(reasonOf("[".repeat(size / 2) + "]".repeat(size / 2))).toBe("nests deeper than 64 levels");
    expect(reasonOf(`[0.${"0000000001".repeat(size / 10)}]`)).toMatch(/a double/);
    expect(reasonOf(`[0.${"0".repeat(size)}]`)).toBe("read");
    expect(reasonOf(`["${String.raw`\\`.repeat(size / 2)}"]`)).toBe("read");
  });
});

describe("R2: a number that every reader reads alike", () => {
  test.each(["0", "-0", "-0.00e7", "0.1", "1.50", "1E3", "1e-3", "9007199254740992", "1e23", "5e-324", "100e-2"])(
    "%s survives",
    (text) => {
      expect(survivesReading(text)).toBe(true);
    },
  );

  test.each(["9007199254740993", "12345678901234567e-1", "0.10000000000000001", "1e400", "-1e400", "1e-400", "4e-324"])(
    "%s does not",
    (text) => {
      expect(survivesReading(text)).toBe(false);
    },
  );

  test("every double survives as JavaScript writes it, and nothing does with a digit more than a double can hold", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        const [mantissa = "", power = ""] = number.toExponential().split("e");
        expect(survivesReading(String(number))).toBe(true);
        expect(survivesReading(`${mantissa}e${power}`)).toBe(true);
        const point = mantissa.includes(".") ? "" : ".";
        expect(survivesReading(`${mantissa}${point}000e${power}`)).toBe(true);
        expect(survivesReading(`${mantissa}${point}${"0".repeat(20)}1e${power}`)).toBe(number === 0);
      }),
      { numRuns: 2_000, seed: 754 },
    );
  });
});

describe("a place in a document", () => {
  test("reads as people write it, and can neither forge nor fill a log line", () => {
    expect(placeOf([])).toBe("the document");
    expect(placeOf([3, "a"])).toBe("[3].a");
    expect(placeOf(["connectors", 3, "endpoint"])).toBe("connectors[3].endpoint");
    expect(placeOf(["headers", "X-A", "line\nbreak"])).toBe(String.raw`headers["X-A"]["line\nbreak"]`);
    expect(placeOf(["n".repeat(1_000)])).toBe(`["${"n".repeat(64)}…"]`);
  });
});
