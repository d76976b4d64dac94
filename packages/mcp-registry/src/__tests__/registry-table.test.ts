import type { ServerInfo } from "@cortex-os/mcp-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RegistryDocument } from "../document/registry-file.js";
import { canonicalText } from "../document/registry-item.js";
import { RegistryTable } from "../document/registry-table.js";
import type { Operation } from "../journal/operation.js";
import { makeEqual } from "../recovery/differences.js";
import { adding, documentOf, stdio } from "./recovery-fixture.js";

const tableOf = (...servers: unknown[]): RegistryTable => new RegistryTable(documentOf({ servers }));
/** What a file serves, told in another way than the table does. */
const lastOfEachName = ({ items }: RegistryDocument): unknown[] =>
  items.flatMap(({ name, entry }, at) =>
    entry === undefined || items.slice(at + 1).some((later) => later.entry !== undefined && later.name === name)
      ? []
      : [entry],
  );
const rawsOf = ({ items, members }: RegistryDocument): unknown => [canonicalText(members), items.map(({ raw }) => raw)];
const contentOf = (table: RegistryTable): unknown => rawsOf(table.document);

/** An element of `servers`: a server, a duplicate, something that is none. */
const name = fc.constantFrom("a", "b", "c", "__proto__", "constructor");
const good = fc.tuple(name, fc.constantFrom("1", "2", "3")).map(([named, command]) => stdio(named, command));
const item: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: good },
  name.map((named) => ({ name: named, transport: "pigeon" })),
  fc.constantFrom<unknown[]>(7, null, {}, { name: 1 }),
);
const members = fc.dictionary(fc.constantFrom("note", "z"), fc.constantFrom(1, "x"));
const document = fc
  .tuple(members, fc.array(item, { maxLength: 6 }))
  .map(([others, servers]) => documentOf({ ...others, servers }));
const step: fc.Arbitrary<(table: RegistryTable) => readonly Operation[]> = fc.oneof(
  good.map((server) => (table: RegistryTable) => [table.upserting(server)].filter((made) => made !== undefined)),
  name.map((named) => (table: RegistryTable) => [table.removing(named)].filter((made) => made !== undefined)),
  document.map((to) => (table: RegistryTable) => makeEqual(new RegistryTable(table.document), new RegistryTable(to))),
);

describe("RegistryTable", () => {
  test("an entry of the same name is replaced in its place, with what was there", () => {
    const table = tableOf(stdio("a"), stdio("b"), stdio("c"));
    const operation = table.upserting(stdio("b", "new"));
    expect(operation).toEqual({ op: "u", v: stdio("b", "new"), w: stdio("b") });
    if (operation !== undefined) table.apply(operation);
    expect(table.served).toEqual([stdio("a"), stdio("b", "new"), stdio("c")]);
  });

  test("what changes nothing is no operation", () => {
    const table = tableOf({ command: "run", name: "a" });
    expect(table.upserting(stdio("a"))).toBeUndefined();
    expect(table.removing("b")).toBeUndefined();
    expect(makeEqual(table, tableOf(stdio("a")))).toEqual([]);
  });

  test("names that differ in case stay apart, and __proto__ is a name like any other", () => {
    const table = tableOf(stdio("a"), stdio("A"), stdio("__proto__"));
    table.apply({ op: "r", n: "A", w: [] });
    expect(table.served.map((server) => server.name)).toEqual(["a", "__proto__"]);
    expect(table.removing("constructor")).toBeUndefined();
  });

  test("the served one of several is replaced; removing takes all of them, and tells where they were", () => {
    const bad = { name: "a", transport: "?" };
    const table = tableOf(stdio("a", "1"), stdio("a", "2"), bad);
    table.apply({ op: "u", v: stdio("a", "3") });
    expect(table.served).toEqual([stdio("a", "3")]);
    expect(table.document.items.map(({ raw }) => raw)).toEqual([stdio("a", "1"), stdio("a", "3"), bad]);
    expect(table.removing("a")).toEqual({
      op: "r",
      n: "a",
      w: [
        [0, stdio("a", "1")],
        [1, stdio("a", "3")],
        [2, bad],
      ],
    });
  });

  test("a bad entry is replaced by a good one of its name", () => {
    const table = tableOf({ name: "a", transport: "?" }, stdio("b"));
    table.apply(table.upserting(stdio("a")) ?? adding("x"));
    expect(table.served).toEqual([stdio("a"), stdio("b")]);
  });

  test("served is frozen, and the same array until something changes", () => {
    const table = tableOf(stdio("a"));
    const { served } = table;
    expect(table.served).toBe(served);
    expect(Object.isFrozen(served[0])).toBe(true);
    table.apply(adding("b"));
    expect(table.served).not.toBe(served);
    expect(served).toEqual([stdio("a")]);
  });

  test("an arrangement leaves out nothing that is served and not in it", () => {
    const table = tableOf(stdio("a"), stdio("b"), { name: "b", transport: "?" });
    const x = { members: { note: 1, servers: [] }, items: ["b", "gone", { raw: 7 }] };
    table.apply({ op: "x", x, w: table.arrangement });
    expect(table.served).toEqual([stdio("b"), stdio("a")]);
    expect(table.document.items.map(({ raw }) => raw)).toEqual([stdio("b"), 7, stdio("a")]);
  });

  test("serves what the file would, in its order, and knows its size, after any operations (property)", () => {
    fc.assert(
      fc.property(document, fc.array(step, { maxLength: 6 }), (start, steps) => {
        const table = new RegistryTable(start);
        for (const operationsOf of steps) {
          for (const operation of operationsOf(table)) {
            expect(table.contentBytes).toBe(bytesOf(table));
            table.apply(operation);
          }
        }
        expect(table.served).toEqual(lastOfEachName(table.document));
        expect(table.contentBytes).toBe(bytesOf(table));
      }),
    );
  });

  test("revert takes each change back, in the opposite order, exactly (property)", () => {
    fc.assert(
      fc.property(document, fc.array(step, { maxLength: 6 }), (start, steps) => {
        const table = new RegistryTable(start);
        const made: (readonly [unknown, Operation])[] = [];
        for (const operationsOf of steps) {
          for (const operation of operationsOf(table)) {
            made.push([contentOf(table), operation]);
            table.apply(operation);
          }
        }
        for (const [before, operation] of made.toReversed()) {
          table.revert(operation);
          expect(contentOf(table)).toEqual(before);
        }
      }),
    );
  });

  test("what was put back can be taken away again", () => {
    const table = tableOf(stdio("b"));
    const operation: Operation = { op: "i", at: [[0, stdio("a")]] };
    table.apply(operation);
    expect(table.served.map((server) => server.name)).toEqual(["a", "b"]);
    table.revert(operation);
    expect(table.served).toEqual([stdio("b")]);
  });
});

describe("makeEqual", () => {
  test("makes equal, whatever the two are, and nothing is left to do after it (property)", () => {
    fc.assert(
      fc.property(document, document, (one, other) => {
        const [from, to] = [new RegistryTable(one), new RegistryTable(other)];
        const replayed = new RegistryTable(one);
        for (const operation of makeEqual(from, to)) replayed.apply(operation);
        expect(contentOf(from)).toEqual(rawsOf(other));
        expect(contentOf(replayed)).toEqual(rawsOf(other));
        expect(makeEqual(from, new RegistryTable(other))).toEqual([]);
      }),
    );
  });

  test("begins with removals, then servers, then what is left to arrange", () => {
    const operations = makeEqual(tableOf(stdio("a"), stdio("b")), tableOf(7, stdio("c"), stdio("b", "new")));
    expect(operations.map(({ op }) => op)).toEqual(["r", "u", "u", "x"]);
  });

  test("an arrangement that is too long for the journal is left out, the servers are not", () => {
    const large: ServerInfo[] = [stdio("a")];
    const to = new RegistryTable(documentOf({ servers: large, note: "x".repeat(300_000) }));
    expect(makeEqual(tableOf(), to)).toEqual([adding("a")]);
  });
});

const bytesOf = (table: RegistryTable): number =>
  table.document.items.reduce((sum, { canonical }) => sum + Buffer.byteLength(canonical), 0);
