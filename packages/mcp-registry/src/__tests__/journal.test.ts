import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeFrame } from "../journal/frame.js";
import {
  baseOfJournal,
  encodeChange,
  encodeDurableMark,
  encodeHeader,
  encodeSnapshotMark,
  readAdded,
  readJournal,
} from "../journal/journal.js";
import { nameOf, operationOf, withoutPast, type Operation } from "../journal/operation.js";
import { follow, recordsOf } from "../journal/records.js";
import { recover } from "../recovery/recover.js";
import { adding, changeOf, frames, ID, journalFile, START_MS, stdio, type Step } from "./recovery-fixture.js";

const steps: Step[] = [adding("a"), adding("b"), adding("c")];
const seqs = (bytes: Buffer): number[] => readJournal(bytes).changes.map(({ seq }) => seq);
const flipped = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};

describe("readJournal: whole", () => {
  test("tells header, changes and marks", () => {
    const bytes = journalFile([adding("a"), { durable: 200 }, { inSnapshot: 1 }, adding("b")], { base: 0, epoch: 4 });
    expect(readJournal(bytes)).toEqual({
      header: { id: ID, epoch: 4, base: 0, onFile: false },
      epoch: 4,
      changes: [changeOf(adding("a"), 1), changeOf(adding("b"), 2)],
      snapshotSeq: 1,
      state: "whole",
      end: bytes.length,
      isMarked: true,
    });
  });

  test("one that could not be closed for long, with 150,000 changes, is read whatever its length (R11)", () => {
    const bytes = journalFile(Array.from({ length: 150_000 }, () => adding("a")));
    expect(readJournal(bytes).changes).toHaveLength(150_000);
    const { seq, table } = recover({ log: bytes });
    expect([seq, table.served]).toEqual([150_000, [stdio("a")]]);
  });

  test.each(["command", "hand", "undo", "restore"] as const)("a change by %s comes back as it was", (by) => {
    const change = { ...changeOf(adding("a"), 7), by, group: 5, undoes: [2, 3] };
    const bytes = Buffer.concat([
      encodeHeader({ id: ID, epoch: 1, base: 6, onFile: true }, START_MS),
      encodeChange(change, 1, 0),
    ]);
    expect(readJournal(bytes)).toMatchObject({ header: { onFile: true, base: 6 }, changes: [change] });
  });

  test.each<Operation>([
    { op: "u", v: { name: "a", command: "x" } },
    { op: "u", v: { name: "a" }, w: { name: "a", odd: 1 } },
    { op: "u", v: { name: "a" }, w: null },
    {
      op: "r",
      n: "a",
      w: [
        [0, { name: "a" }],
        [3, 7],
      ] as const,
    },
    { op: "i", at: [[0, { name: "a" }]] },
    { op: "x", x: { members: { n: 1 }, items: ["a", { raw: 7 }] }, w: { members: {}, items: [] } },
  ])("operation %j comes back as it was", (operation) => {
    expect(readJournal(journalFile([operation])).changes[0]?.operation).toEqual(operation);
  });
});

describe("readJournal: torn, corrupt or strange", () => {
  test("cut at every byte: what is whole before the cut counts, and the rest is torn", () => {
    const bytes = journalFile(steps);
    const lengths = [journalFile([]).length, ...steps.map((_, index) => journalFile(steps.slice(0, index + 1)).length)];
    for (let length = 0; length < bytes.length; length++) {
      const journal = readJournal(bytes.subarray(0, length));
      const end = lengths.findLast((whole) => whole <= length) ?? 0;
      expect(journal.changes).toHaveLength(Math.max(0, lengths.indexOf(end)));
      expect([journal.state, journal.end]).toEqual(lengths.includes(length) ? ["whole", length] : ["torn", end]);
    }
  });

  test("damage above what is durable takes everything after it along", () => {
    const bytes = journalFile(steps);
    const first = journalFile(steps.slice(0, 1)).length;
    expect(readJournal(flipped(bytes, first + 30))).toMatchObject({ state: "torn", end: first, changes: [{ seq: 1 }] });
  });

  test.each(["a mark", "a later change"])("damage below what %s says is durable is corruption", (says) => {
    const first = journalFile(steps.slice(0, 1)).length;
    const second = journalFile(steps.slice(0, 2)).length;
    const last = says === "a mark" ? encodeDurableMark(1, second) : encodeChange(changeOf(adding("d"), 4), 1, second);
    const bytes = flipped(Buffer.concat([journalFile(steps), last]), first + 30);
    const journal = readJournal(bytes);
    expect([journal.state, journal.end]).toEqual(["corrupt", bytes.length]);
    expect(journal.changes.map(({ seq }) => seq)).toEqual(says === "a mark" ? [1, 3] : [1, 3, 4]);
  });

  test("a torn end after a mark is torn all the same", () => {
    const durable = journalFile(steps).length;
    const bytes = Buffer.concat([journalFile(steps), encodeDurableMark(1, durable)]);
    const torn = Buffer.concat([bytes, encodeChange(changeOf(adding("d"), 4), 1, durable).subarray(0, 40)]);
    expect(readJournal(torn)).toMatchObject({ state: "torn", end: bytes.length });
    expect(seqs(torn)).toEqual([1, 2, 3]);
  });

  test("without its header it tells nothing, unless it was durable", () => {
    const headless = Buffer.concat(frames(steps));
    expect(readJournal(headless)).toMatchObject({ header: undefined, state: "torn", end: 0, changes: [] });
    const durable = Buffer.concat([flipped(journalFile(steps), 20), encodeDurableMark(1, 100)]);
    expect(readJournal(durable)).toMatchObject({ header: undefined, state: "corrupt", epoch: 1 });
    expect(seqs(durable)).toEqual([1, 2, 3]);
    expect(baseOfJournal(readJournal(durable))).toBe(0);
    expect(baseOfJournal(readJournal(headless))).toBeUndefined();
    expect(baseOfJournal(readJournal(journalFile([], { base: 5 })))).toBe(5);
  });

  test("an empty one is torn at its beginning", () => {
    expect(readJournal(Buffer.alloc(0))).toMatchObject({ header: undefined, state: "torn", end: 0, epoch: 1 });
  });

  test("frames of another epoch are of another life: from the first of them on it is torn", () => {
    const own = journalFile([adding("a")], { epoch: 2 });
    const bytes = Buffer.concat([own, ...frames([adding("old")], 1, 1), ...frames([adding("b")], 2, 1)]);
    expect(readJournal(bytes)).toMatchObject({ state: "torn", end: own.length, changes: [{ seq: 1 }] });
  });

  test.each<[string, object]>([
    ["an unknown operation", { e: 1, s: 2, d: 0, t: 0, op: "z" }],
    ["no operation", { e: 1, s: 2, d: 0, t: 0 }],
    ["a server without a name", { e: 1, s: 2, d: 0, t: 0, op: "u", v: {} }],
    ["a removal of no name", { e: 1, s: 2, d: 0, t: 0, op: "r", n: 7 }],
    ["a return of nothing", { e: 1, s: 2, d: 0, t: 0, op: "i", at: 7 }],
    ["a return of what has no place", { e: 1, s: 2, d: 0, t: 0, op: "i", at: [["0", {}]] }],
    ["a return of no pair", { e: 1, s: 2, d: 0, t: 0, op: "i", at: [7] }],
    ["half an arrangement", { e: 1, s: 2, d: 0, t: 0, op: "x", x: { members: {}, items: [] } }],
    ["an arrangement of numbers", { e: 1, s: 2, d: 0, t: 0, op: "x", x: { members: {}, items: [1] }, w: {} }],
    ["an arrangement without members", { e: 1, s: 2, d: 0, t: 0, op: "x", x: { items: [] }, w: {} }],
    ["no number", { e: 1, d: 0, t: 0, op: "r", n: "a" }],
    ["a negative number", { e: 1, s: -1, d: 0, t: 0, op: "r", n: "a" }],
    ["no time", { e: 1, s: 2, d: 0, op: "r", n: "a" }],
    ["no epoch", { s: 2, d: 0, t: 0, op: "r", n: "a" }],
    ["a mark of another kind", { e: 1, m: 3 }],
    ["a snapshot mark without a number", { e: 1, m: 2 }],
    ["a list", [1]],
    ["a second header", { v: 1, id: ID, e: 1, b: 0, t: 0 }],
  ])("a whole frame with %s is not believed", (_, value) => {
    const own = journalFile([adding("a")]);
    const bytes = Buffer.concat([own, encodeFrame(value), ...frames([adding("b")], 1, 1)]);
    expect(readJournal(bytes)).toMatchObject({ state: "torn", end: own.length });
    expect(readAdded(bytes.subarray(own.length), 1)).toBeUndefined();
  });

  test.each<[string, object]>([
    ["of another version", { v: 2, id: ID, e: 1, b: 0, t: 0 }],
    ["without an id", { v: 1, e: 1, b: 0, t: 0 }],
    ["with a base that is no number", { v: 1, id: ID, e: 1, b: "0", t: 0 }],
    ["that is a list", []],
  ])("a header %s is none", (_, header) => {
    const bytes = Buffer.concat([encodeFrame(header), ...frames(steps)]);
    expect(readJournal(bytes)).toMatchObject({ header: undefined, state: "torn", end: 0 });
  });

  test("never throws, whatever the bytes or values (property)", () => {
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
      fc
        .dictionary(fc.constantFrom("v", "id", "e", "b", "s", "d", "t", "op", "m", "n", "at", "x", "w"), fc.jsonValue())
        .map(encodeFrame),
      fc.constantFrom(...frames(steps), journalFile([])),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const bytes = Buffer.concat(parts);
        const journal = readJournal(bytes);
        expect(journal.end).toBeLessThanOrEqual(bytes.length);
        if (journal.state === "corrupt") expect(journal.end).toBe(bytes.length);
      }),
    );
  });
});

describe("readAdded", () => {
  test("takes whole frames of this epoch, and nothing else", () => {
    const [one, two] = frames([adding("a"), adding("b")], 3);
    const added = Buffer.concat([one ?? Buffer.alloc(0), encodeSnapshotMark(3, 1), two ?? Buffer.alloc(0)]);
    expect(readAdded(added, 3)).toMatchObject({ changes: [{ seq: 1 }, { seq: 2 }], snapshotSeq: 1 });
    expect(readAdded(added, 4)).toBeUndefined();
    expect(readAdded(added.subarray(0, -1), 3)).toBeUndefined();
    expect(readAdded(Buffer.alloc(0), 3)).toMatchObject({ changes: [] });
  });
});

describe("records", () => {
  test("are numbered on, of one group, with who made them and what they take back", () => {
    const place = { seq: 4, atMs: 9, epoch: 2, durable: 100 };
    const { changes, frames: bytes } = recordsOf([adding("a"), adding("b")], { by: "undo", undoes: [3] }, place);
    expect(changes.map(({ seq, group }) => [seq, group])).toEqual([
      [4, 4],
      [5, 4],
    ]);
    expect(readAdded(bytes, 2)?.changes).toEqual(changes);
    expect(bytes.toString()).toContain('"d":100');
    expect([follow(changes, 3), follow(changes, 4), follow([], 9)]).toEqual([true, false, true]);
  });

  test.each<[Operation, Operation]>([
    [
      { op: "u", v: { name: "a" }, w: "long" },
      { op: "u", v: { name: "a" } },
    ],
    [
      { op: "r", n: "a", w: [[0, "long"]] },
      { op: "r", n: "a", w: [] },
    ],
    [
      { op: "x", x: { members: {}, items: [] }, w: { members: { long: "long" }, items: [] } },
      { op: "x", x: { members: {}, items: [] }, w: { members: {}, items: [] } },
    ],
  ])("one that is too long for a frame is kept without its past", (operation, expected) => {
    const long = JSON.parse(
      JSON.stringify(operation).replace('"long"', JSON.stringify("x".repeat(1_100_000))),
    ) as Operation;
    const { frames: bytes } = recordsOf([long], { by: "command" }, { seq: 1, atMs: 0, epoch: 1, durable: 0 });
    expect(readAdded(bytes, 1)?.changes[0]?.operation).toEqual(expected);
    expect(withoutPast({ op: "i", at: [] })).toEqual({ op: "i", at: [] });
  });

  test("nameOf tells which server an operation is about", () => {
    expect([
      nameOf(adding("a")),
      nameOf({ op: "r", n: "b", w: [] }),
      nameOf({ op: "i", at: [[0, { name: "c" }]] }),
      nameOf({ op: "i", at: [[0, 7]] }),
      nameOf({ op: "u", v: 7 }),
      nameOf({ op: "x", x: { members: {}, items: [] }, w: { members: {}, items: [] } }),
    ]).toEqual(["a", "b", "c", undefined, undefined, undefined]);
    expect(operationOf({ op: "r", n: "a", w: 7 })).toEqual({ op: "r", n: "a", w: [] });
  });
});
