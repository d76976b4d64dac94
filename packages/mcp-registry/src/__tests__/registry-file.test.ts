import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  EMPTY_REGISTRY,
  entriesOf,
  parseRegistryFile,
  serialiseRegistryFile,
  setAsideOf,
  withEntry,
  withoutName,
  type RegistryDocument,
} from "../document/registry-file.js";

const stdio = (name: string, command = "run"): { name: string; command: string } => ({ name, command });

function parsed(value: unknown): RegistryDocument {
  const result = parseRegistryFile(typeof value === "string" ? value : JSON.stringify(value));
  if (!result.ok) throw new Error(result.reason);
  return result.document;
}

const names = (document: RegistryDocument): string[] => entriesOf(document).map(({ name }) => name);

describe("parseRegistryFile", () => {
  test("reads the servers in file order, an entry without transport too (R13)", () => {
    const result = parseRegistryFile(
      JSON.stringify({ servers: [stdio("b"), { name: "a", endpoint: "https://a.example/mcp" }] }),
    );
    expect(result).toMatchObject({
      ok: true,
      entries: [stdio("b"), { name: "a", endpoint: "https://a.example/mcp" }],
      setAside: [],
    });
  });

  test.each([
    ["nothing", ""],
    ["a torn file", '{"servers": [{"name": "a", "comm'],
    ["a trailing comma", '{"servers": [],}'],
  ])("%s is not JSON", (_, text) => {
    expect(parseRegistryFile(text)).toMatchObject({
      ok: false,
      reason: expect.stringContaining("not valid JSON") as string,
    });
  });

  test.each([
    ["a list", "[]", "not a JSON object"],
    ["null", "null", "not a JSON object"],
    ["a number", "1", "not a JSON object"],
    ["servers as a map", '{"servers": {}}', '"servers" is not a list'],
    ["servers as null", '{"servers": null}', '"servers" is not a list'],
  ])("%s is not a registry", (_, text, reason) => {
    expect(parseRegistryFile(text)).toMatchObject({ ok: false, reason: expect.stringContaining(reason) as string });
  });

  test("tells line and column where the engine does", () => {
    expect(parseRegistryFile('{\n  "servers": [],\n  }')).toMatchObject({
      reason: "it is not valid JSON (line 3, column 3)",
    });
  });

  test("never quotes the text, which may hold secrets", () => {
    for (const text of ['{"servers": [ hunter2 ]}', "hunter2", '{"a": "hunter2', '{"a": 1 "hunter2"}']) {
      expect(JSON.stringify(parseRegistryFile(text))).not.toContain("hunter2");
    }
  });

  test("accepts a byte order mark, as Windows editors write it", () => {
    expect(names(parsed(`\uFEFF${JSON.stringify({ servers: [stdio("a")] })}`))).toEqual(["a"]);
  });

  test("an object without servers is an empty registry, and the map form of other tools is not read", () => {
    expect(names(parsed({}))).toEqual([]);
    expect(names(parsed({ mcpServers: { a: { command: "run" } } }))).toEqual([]);
  });

  test("sets a bad entry aside with its place, name and reason, and serves the rest", () => {
    const document = parsed({ servers: [stdio("a"), { name: "bad one", command: "x" }, 7, { name: "c" }, stdio("d")] });
    expect(names(document)).toEqual(["a", "d"]);
    expect(setAsideOf(document)).toEqual([
      { index: 1, name: "bad one", reason: expect.stringMatching(/^name: /) as string },
      { index: 2, reason: expect.any(String) as string },
      { index: 3, name: "c", reason: expect.stringMatching(/^endpoint: /) as string },
    ]);
  });

  test("a reason holds field names and no values, and ends after three issues", () => {
    const env = Object.fromEntries(["A", "B", "C", "D", "E"].map((key) => [key, { secret: "hunter2" }]));
    const [entry] = setAsideOf(parsed({ servers: [{ name: "a", command: "x", env }] }));
    expect(entry?.reason).toMatch(/^env\.A: .*; env\.B: .*; env\.C: .*; and 2 more$/);
    expect(entry?.reason).not.toContain("hunter2");
  });

  test("of two entries with one name the later is served, and the earlier is set aside", () => {
    const document = parsed({ servers: [stdio("a", "old"), stdio("b"), stdio("a", "new")] });
    expect(entriesOf(document)).toEqual([stdio("b"), stdio("a", "new")]);
    expect(setAsideOf(document)).toEqual([{ index: 0, name: "a", reason: "a later entry has the same name" }]);
  });

  test("__proto__ is a name like any other", () => {
    const document = withEntry(parsed({ servers: [stdio("__proto__")] }), stdio("constructor"));
    expect(names(document)).toEqual(["__proto__", "constructor"]);
    expect(names(withoutName(document, "__proto__"))).toEqual(["constructor"]);
  });

  test("never throws, whatever it is given", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.jsonValue().map((value) => JSON.stringify({ servers: [value] })),
        ),
        (text) => {
          const result = parseRegistryFile(text);
          if (result.ok) expect(entriesOf(result.document)).toEqual(result.entries);
        },
      ),
    );
  });
});

describe("serialiseRegistryFile", () => {
  test("two spaces, a newline at the end, members and entries in their order", () => {
    const document = withEntry(parsed('{"z": 1, "servers": [], "a": {"b": [1]}}'), stdio("s"));
    expect(serialiseRegistryFile(document)).toBe(
      '{\n  "z": 1,\n  "servers": [\n    {\n      "name": "s",\n      "command": "run"\n    }\n  ],\n  "a": {\n    "b": [\n      1\n    ]\n  }\n}\n',
    );
  });

  test("an empty registry is an empty list", () => {
    expect(serialiseRegistryFile(EMPTY_REGISTRY)).toBe('{\n  "servers": []\n}\n');
  });

  test("keeps what it does not understand: members, bad entries, fields of good ones", () => {
    const content = {
      _meta: { v: 9 },
      servers: [{ name: "bad one", odd: [null] }, { ...stdio("a"), later: { field: true } }, 7, "x", null],
      $schema: "urn:x",
    };
    expect(JSON.parse(serialiseRegistryFile(withEntry(parsed(content), stdio("new"))))).toEqual({
      ...content,
      servers: [...content.servers, stdio("new")],
    });
  });

  test("a file comes back as it was: parse and serialise are each other's inverse", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()), (members, servers) => {
        const text = `${JSON.stringify({ ...members, servers }, null, 2)}\n`;
        expect(serialiseRegistryFile(parsed(text))).toBe(text);
      }),
    );
  });
});

describe("withEntry and withoutName", () => {
  test("an entry of the same name is replaced in its place", () => {
    const document = parsed({ servers: [stdio("a"), stdio("b"), stdio("c")] });
    expect(entriesOf(withEntry(document, stdio("b", "new")))).toEqual([stdio("a"), stdio("b", "new"), stdio("c")]);
  });

  test("names that differ in case stay apart", () => {
    const document = parsed({ servers: [stdio("a"), stdio("A")] });
    expect(names(withoutName(document, "A"))).toEqual(["a"]);
  });

  test("the served one of several is replaced; removing takes all of them", () => {
    const document = parsed({ servers: [stdio("a", "1"), stdio("a", "2"), { name: "a", transport: "?" }] });
    const replaced = withEntry(document, stdio("a", "3"));
    expect(entriesOf(replaced)).toEqual([stdio("a", "3")]);
    expect(replaced.items).toHaveLength(3);
    expect(withoutName(replaced, "a").items).toEqual([]);
  });

  test("a bad entry is replaced by a good one of its name, and can be removed by it", () => {
    const document = parsed({ servers: [{ name: "a", transport: "?" }, stdio("b")] });
    expect(serialiseRegistryFile(withEntry(document, stdio("a")))).toBe(
      serialiseRegistryFile(parsed({ servers: [stdio("a"), stdio("b")] })),
    );
    expect(setAsideOf(withoutName(document, "a"))).toEqual([]);
  });

  test("removing what is not there gives the same document", () => {
    const document = parsed({ servers: [stdio("a")] });
    expect(withoutName(document, "b")).toBe(document);
  });
});
