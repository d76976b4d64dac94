import type { ServerInfo } from "@cortex-os/mcp-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  EMPTY_REGISTRY,
  parseRegistryFile,
  registryFileBytes,
  setAsideOf,
  type RegistryDocument,
} from "../document/registry-file.js";
import { RegistryTable } from "../document/registry-table.js";
import { isIntact, isNewer, type Generation } from "../document/seal.js";
import { readSnapshot } from "../recovery/read-snapshot.js";
import { documentOf, editedFile, looseFile, newerFile, sealedFile, stdio } from "./recovery-fixture.js";

const GENERATION: Generation = { id: "0123456789abcdef", epoch: 3, seq: 12 };
const entriesOf = (document: RegistryDocument): readonly ServerInfo[] => new RegistryTable(document).served;
const names = (document: RegistryDocument): string[] => entriesOf(document).map(({ name }) => name);

describe("parseRegistryFile", () => {
  test("reads the servers in file order, an entry without transport too (R13)", () => {
    const document = documentOf({ servers: [stdio("b"), { name: "a", endpoint: "https://a.example/mcp" }] });
    expect(entriesOf(document)).toEqual([stdio("b"), { name: "a", endpoint: "https://a.example/mcp" }]);
    expect(setAsideOf(document)).toEqual([]);
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
    expect(names(documentOf(`\uFEFF${JSON.stringify({ servers: [stdio("a")] })}`))).toEqual(["a"]);
  });

  test("an object without servers is an empty registry, and the map form of other tools is not read", () => {
    expect(names(documentOf({}))).toEqual([]);
    expect(names(documentOf({ mcpServers: { a: { command: "run" } } }))).toEqual([]);
  });

  test("sets a bad entry aside with its place, name and reason, and serves the rest", () => {
    const document = documentOf({
      servers: [stdio("a"), { name: "bad one", command: "x" }, 7, { name: "c" }, stdio("d")],
    });
    expect(names(document)).toEqual(["a", "d"]);
    expect(setAsideOf(document)).toEqual([
      { index: 1, name: "bad one", reason: expect.stringMatching(/^name: /) as string },
      { index: 2, reason: expect.any(String) as string },
      { index: 3, name: "c", reason: expect.stringMatching(/^endpoint: /) as string },
    ]);
  });

  test("an entry that is too long is set aside, and says so", () => {
    const document = documentOf({ servers: [{ ...stdio("a"), extra: "x".repeat(256 * 1024) }, stdio("b")] });
    expect(names(document)).toEqual(["b"]);
    expect(setAsideOf(document)).toEqual([{ index: 0, name: "a", reason: "it is longer than 262144 bytes" }]);
  });

  test("a reason holds field names and no values, and ends after three issues", () => {
    const env = Object.fromEntries(["A", "B", "C", "D", "E"].map((key) => [key, { secret: "hunter2" }]));
    const [entry] = setAsideOf(documentOf({ servers: [{ name: "a", command: "x", env }] }));
    expect(entry?.reason).toMatch(/^env\.A: .*; env\.B: .*; env\.C: .*; and 2 more$/);
    expect(entry?.reason).not.toContain("hunter2");
  });

  test("of two entries with one name the later is served, and the earlier is set aside", () => {
    const document = documentOf({ servers: [stdio("a", "old"), stdio("b"), stdio("a", "new")] });
    expect(entriesOf(document)).toEqual([stdio("b"), stdio("a", "new")]);
    expect(setAsideOf(document)).toEqual([{ index: 0, name: "a", reason: "a later entry has the same name" }]);
  });

  test("never throws, whatever it is given (property)", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.jsonValue().map((value) => JSON.stringify({ servers: [value], _meta: value })),
        ),
        (text) => {
          const result = parseRegistryFile(text);
          if (!result.ok) return;
          const { document } = result;
          expect(entriesOf(document).length + setAsideOf(document).length).toBe(document.items.length);
        },
      ),
    );
  });
});

const textOf = (...args: Parameters<typeof registryFileBytes>): string => registryFileBytes(...args).toString();

describe("registryFileBytes", () => {
  test("two spaces, a newline at the end, _meta first, members and entries in their order", () => {
    const document = documentOf({ z: 1, servers: [stdio("s")], a: { b: [1] } });
    expect(textOf(document, GENERATION).replace(/"sha256":"\w{64}"/, '"sha256":"…"')).toBe(
      '{\n  "_meta": {"v":1,"id":"0123456789abcdef","epoch":3,"seq":12,"sha256":"…"},\n  "z": 1,\n' +
        '  "servers": [\n    {\n      "name": "s",\n      "command": "run"\n    }\n  ],\n' +
        '  "a": {\n    "b": [\n      1\n    ]\n  }\n}\n',
    );
  });

  test("an empty registry is an empty list", () => {
    expect(textOf(EMPTY_REGISTRY, GENERATION)).toMatch(/^\{\n {2}"_meta": \{.*\},\n {2}"servers": \[\]\n\}\n$/);
    expect(textOf(documentOf({}), GENERATION)).toContain('"servers": []');
  });

  test("keeps what it does not understand: members, bad entries, fields of good ones, others' _meta", () => {
    const content = {
      servers: [{ name: "bad one", odd: [null] }, { ...stdio("a"), later: { field: true } }, 7, "x", null],
      $schema: "urn:x",
    };
    const text = textOf(documentOf({ ...content, _meta: { mine: 1 } }), GENERATION);
    expect(JSON.parse(text)).toEqual({ ...content, _meta: expect.objectContaining({ mine: 1, seq: 12 }) as object });
    const { _meta: _, ...odd } = JSON.parse(textOf(documentOf({ ...content, _meta: "odd" }), GENERATION)) as Record<
      string,
      unknown
    >;
    expect(odd).toEqual(content);
  });

  test("a file comes back as it was, with its seal whole (property)", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()), (members, servers) => {
        const file = textOf(documentOf(JSON.stringify({ ...members, servers })), GENERATION);
        const parsed = parseRegistryFile(file);
        if (!parsed.ok || parsed.seal === undefined) throw new Error("it cannot be read back");
        expect(isIntact(parsed.seal, parsed.document)).toBe(true);
        expect(parsed.seal).toMatchObject(GENERATION);
        expect(textOf(parsed.document, GENERATION)).toBe(file);
        expect(readSnapshot(Buffer.from(file))).toMatchObject({ kind: "sealed", generation: GENERATION });
      }),
    );
  });
});

describe("the seal", () => {
  const content = { servers: [stdio("a"), stdio("b")], note: 1 };

  test.each<[string, (file: Record<string, unknown>) => object]>([
    ["a server changed", (file) => ({ ...file, servers: [stdio("a", "other"), stdio("b")] })],
    ["a server gone", (file) => ({ ...file, servers: [stdio("a")] })],
    ["the order changed", (file) => ({ ...file, servers: [stdio("b"), stdio("a")] })],
    ["a member changed", (file) => ({ ...file, note: 2 })],
    ["a member gone", (file) => ({ ...file, note: undefined })],
    ["a member more", (file) => ({ ...file, more: null })],
    ["another number", ({ _meta, ...file }) => ({ ...file, _meta: { ...(_meta as object), seq: 99 } })],
    ["another epoch", ({ _meta, ...file }) => ({ ...file, _meta: { ...(_meta as object), epoch: 99 } })],
    ["another id", ({ _meta, ...file }) => ({ ...file, _meta: { ...(_meta as object), id: "x" } })],
    ["something in _meta", ({ _meta, ...file }) => ({ ...file, _meta: { ...(_meta as object), more: 1 } })],
  ])("%s breaks it", (_, change) => {
    const file = JSON.parse(sealedFile(content).toString()) as Record<string, unknown>;
    expect(readSnapshot(sealedFile(content)).kind).toBe("sealed");
    expect(readSnapshot(Buffer.from(JSON.stringify(change(file))))).toMatchObject({ kind: "loose", seal: {} });
  });

  test("spaces and the order of fields do not: a formatter may have been at it", () => {
    const { _meta, ...file } = JSON.parse(sealedFile(content).toString()) as Record<string, unknown>;
    const servers = [{ command: "run", name: "a" }, stdio("b")];
    const formatted = JSON.stringify({ ...file, servers, _meta }, null, 8);
    expect(readSnapshot(Buffer.from(formatted)).kind).toBe("sealed");
  });

  test("text that is no Unicode has one as well", () => {
    const odd = { servers: [{ ...stdio("a"), extra: "\ud800" }], note: "\udfff" };
    expect(readSnapshot(sealedFile(odd)).kind).toBe("sealed");
  });

  test.each([
    ["a version that is no number", { v: "1", id: "x", epoch: 1, seq: 1, sha256: "x" }],
    ["a number that is none", { v: 1, id: "x", epoch: 1, seq: 1.5, sha256: "x" }],
    ["an id that is none", { v: 1, id: 7, epoch: 1, seq: 1, sha256: "x" }],
    ["no sum", { v: 1, id: "x", epoch: 1, seq: 1 }],
    ["something else", "x"],
  ])("%s is no seal", (_, _meta) => {
    expect(readSnapshot(looseFile({ _meta, servers: [] }))).toMatchObject({ kind: "loose", seal: undefined });
  });

  test("one of a newer program is told from ours, if it is whole", () => {
    expect(readSnapshot(Buffer.from(newerFile(2)))).toEqual({ kind: "newer", version: 2 });
    expect(readSnapshot(Buffer.from(newerFile(2).replace('"v":2', '"v":3'))).kind).toBe("loose");
    expect(isNewer({ ...GENERATION, v: 1, sha256: "" })).toBe(false);
  });

  test("every bit flipped: never taken for what we wrote (R11)", () => {
    const file = sealedFile({ servers: [stdio("a")] });
    const whole = readSnapshot(file);
    for (let bit = 0; bit < file.length * 8; bit++) {
      const flipped = Buffer.from(file);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const snapshot = readSnapshot(flipped);
      if (snapshot.kind === "sealed") expect(snapshot).toEqual(whole);
      expect(snapshot.kind).not.toBe("newer");
    }
  });

  test("what an editor keeps of it stays readable", () => {
    const edited = editedFile({ servers: [] }, content, { seq: 4 });
    expect(readSnapshot(edited)).toMatchObject({ kind: "loose", seal: { seq: 4 } });
    expect(readSnapshot(undefined)).toEqual({ kind: "absent" });
  });
});
