import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_JSON_NODES } from "../limits.js";
import { placeOf, quotedName, shortened } from "../place.js";
import { parseStrictJson } from "../strict-json.js";
import { survivesReading } from "../strict-number.js";

// What is read and what is not is pinned by vectors/canonical.json; here are the reasons, the places and the costs.

const reasonOf = (text: string): string => {
  const json = parseStrictJson(text);
  return json.ok ? "read" : json.reason;
};

const detailOf = (text: string): string | undefined => {
  const json = parseStrictJson(text);
  return json.ok ? "read" : json.detail;
};

describe("R2: JSON that means the same to every reader", () => {
  test.each([
    { text: "", reason: "is not JSON: it is empty" },
    { text: " \n", reason: "is not JSON: it is empty" },
    { text: " <!doctype html>", reason: 'is not JSON: it begins with "<", as an HTML page does' },
    { text: '{"ä":1 "b":2}', reason: "is not JSON (byte 8)" },
  ])("says of $text that it $reason, and nothing more", ({ text, reason }) => {
    expect(parseStrictJson(text)).toEqual({ ok: false, rule: "json", reason });
  });

  // Where exactly depends on the engine; that it ends, finds it, and quotes nothing does not.
  test.each([
    '{"a":',
    '{"a":"b\n"}',
    "secret",
    "[1,2",
    ']{"a":1}',
    "[1]]",
    "[1}",
    String.raw`{"a":1,"a\x":2,"a":3}`,
    String.raw`"x\\`.slice(0, -1),
    '{"a":1,"a":2',
    "[1e,2]",
    "[1.2.3]",
    "[-]",
    "[tru]",
    '"',
  ])("refuses %s, which is none", (text) => {
    const reason: unknown = expect.stringMatching(/^is not JSON(?: \(byte \d+\))?$/);
    expect(parseStrictJson(text)).toEqual({ ok: false, rule: "json", reason });
  });

  test.each([
    { text: '{"a":1,"a":2}', reason: "an object holds one name twice (byte 7)", detail: '"a" in the document' },
    {
      text: '{"x":[0,{"ä":{},"b":{"a":[1,2],"\\u0061":3}}]}',
      reason: "an object holds one name twice (byte 32)",
      detail: '"a" in x[1].b',
    },
    {
      text: '[{"a":1},{"a":2},{"b":[{"a":1}],"a":[],"b":0}]',
      reason: "an object holds one name twice (byte 39)",
      detail: '"b" in [2]',
    },
    {
      text: '[[],[0,1],[0,{"odd name":[1e999]}]]',
      reason: "a number that a double cannot carry as it is written (byte 26)",
      detail: '[2][1]["odd name"][0]',
    },
    {
      text: '{"a":[{"\\u005f_proto__":1}]}',
      reason: "an object holds a member called __proto__ (byte 7)",
      detail: "a[0]",
    },
    { text: '{"a":"\\ud800"}', reason: "a text holds half of a surrogate pair (byte 5)", detail: "a" },
    { text: '{"a":"\ud800"}', reason: "a text holds half of a surrogate pair (byte 5)", detail: "a" },
    { text: '{"a":{"\\udc00":1}}', reason: "a name holds half of a surrogate pair (byte 6)", detail: "a" },
    { text: '"\\ud800"', reason: "a text holds half of a surrogate pair (byte 0)", detail: "the document" },
  ])("refuses $text by its place, and names it to operators only", ({ text, reason, detail }) => {
    expect(parseStrictJson(text)).toEqual({ ok: false, rule: "json", reason, detail });
  });

  test("refuses more than 64 levels, told in bounded words", () => {
    expect(reasonOf(`${"[".repeat(64)}${"]".repeat(64)}`)).toBe("read");
    expect(reasonOf(`${"[".repeat(65)}${"]".repeat(65)}`)).toBe("nests deeper than 64 levels (byte 64)");
    const deep = '{"long name":'.repeat(65);
    expect(reasonOf(deep)).toBe("nests deeper than 64 levels (byte 832)");
    expect(detailOf(deep)).toMatch(/^(?:\["long name"\]){15}.{4}…$/);
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
        const text = `[${texts.join(",")}]`;
        expect(reasonOf(text)).toMatch(/^an object holds one name twice \(byte \d+\)$/);
        expect(detailOf(text)).toMatch(new RegExp(`^".*" in \\[${at}\\]$`, "su"));
      }),
      { numRuns: 500, seed: 7493 },
    );
  });

  test("reads hostile text of a megabyte without recursion and in linear time", () => {
    const size = 1_000_000;
    expect(reasonOf("[".repeat(size))).toMatch(/^nests deeper than 64 levels/);
    expect(reasonOf("]".repeat(size))).toMatch(/^is not JSON/);
    expect(reasonOf(`[0.${"0000000001".repeat(size / 10)}]`)).toMatch(/a double/);
    expect(reasonOf(`[0.${"0".repeat(size)}]`)).toBe("read");
    expect(reasonOf(`["${String.raw`\\`.repeat(size / 2)}"]`)).toBe("read");
  });
});

describe("R2: no more than 100,000 values and names", () => {
  const limit = MAX_JSON_NODES;
  const list = (item: string, count: number): string => `[${Array.from({ length: count }, () => item).join(",")}]`;
  const members = (count: number): string =>
    `{${Array.from({ length: count }, (_, at) => `"k${at}":${at % 2 === 0 ? "null" : "-1.5"}`).join(",")}}`;

  test.each([
    { name: "numbers", most: list("0", limit - 1), more: list("0", limit) },
    { name: "texts", most: list('"a"', limit - 1), more: list('"a"', limit) },
    { name: "words", most: list("true", limit - 1), more: list("false", limit) },
    { name: "empty objects", most: list("{}", limit - 1), more: list("{}", limit) },
    { name: "lists in lists", most: list("[[]]", limit / 2 - 1), more: list("[[]]", limit / 2) },
    { name: "members", most: members(limit / 2 - 1), more: members(limit / 2) },
  ])("are read, and not one more ($name)", ({ most, more }) => {
    expect(parseStrictJson(most)).toEqual({ ok: true, value: JSON.parse(most) });
    const reason = "holds more than 100000 values and names";
    expect(parseStrictJson(more)).toEqual({ ok: false, rule: "size", reason });
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

  test("shows what could not be seen, or would turn what follows", () => {
    expect(quotedName("\u001b[2J\u007f\u0085\u2028\u202e\ufeff\u{e0041}\ud800é")).toBe(
      String.raw`"\u001b[2J\u{7f}\u{85}\u{2028}\u{202e}\u{feff}\u{e0041}\ud800é"`,
    );
  });

  test("is cut where it is too long for a message, and never in the middle of a character", () => {
    expect(shortened("a".repeat(200))).toBe("a".repeat(200));
    expect(shortened("a".repeat(201))).toBe(`${"a".repeat(199)}…`);
    expect(shortened("a\u{1f600}b", 3)).toBe("a\ufffd…");
  });
});
