import { expectRecovered, type RecoveryRow } from "./recover-rows.js";
import { describe, test } from "vitest";
import { adding, changeOf, frames, journalFile, looseFile, sealedFile, stdio } from "./recovery-fixture.js";

const list = (...names: string[]): object => ({ servers: names.map((name) => stdio(name)) });
const abc = [adding("a"), adding("b"), adding("c")];
const damaged = Buffer.from('{"servers": [{"na');
const OTHER = "f".repeat(16);

const REBUILT = "servers were rebuilt from the journal";
const GONE = "To remove servers use cortex-mcp remove";
const UNDO = "cortex-mcp registry undo takes that back";

const rows: Readonly<Record<string, RecoveryRow>> = {
  "nothing there": { files: {}, names: [], is: ["nothing", 0, 0] },

  "sealed, without a journal": {
    files: { snapshot: sealedFile(list("a", "b"), { seq: 2 }) },
    names: ["a", "b"],
    is: ["snapshot", 2, 2],
  },
  "sealed, with changes in the journal that it has and some that it has not": {
    files: { snapshot: sealedFile(list("a", "b"), { seq: 2 }), log: journalFile(abc) },
    names: ["a", "b", "c"],
    is: ["snapshot", 3, 2],
  },
  "sealed, newer than the journals are": {
    files: { snapshot: sealedFile(list("a"), { seq: 9 }), log: journalFile(abc) },
    names: ["a"],
    is: ["snapshot", 9, 9],
  },
  "an older copy put back": {
    files: { snapshot: sealedFile(list("a"), { seq: 1 }), log: journalFile([...abc, { inSnapshot: 3 }]) },
    names: ["a", "b", "c"],
    is: ["snapshot", 3, 1],
    told: [
      "warning: servers.json was an older copy: 2 later changes were made again. To go back use cortex-mcp registry restore --at TIME",
    ],
  },
  "an older copy than the journal reaches": {
    files: { snapshot: sealedFile(list("a"), { seq: 1 }), log: journalFile([adding("d")], { base: 3 }) },
    names: ["a", "d"],
    is: ["file", 4, undefined],
    told: ["warning: servers.json is from another registry, or older than the journal reaches: it was taken as it is"],
  },
  "of another registry": {
    files: { snapshot: sealedFile(list("foreign"), { id: OTHER, seq: 7 }), log: journalFile(abc) },
    names: ["foreign", "a", "b", "c"],
    is: ["file", 3, undefined],
    told: [
      `warning: servers.json is from another registry, or older than the journal reaches: it was taken as it is. ${UNDO}`,
    ],
  },
  "of another registry, when all was in a snapshot": {
    files: {
      snapshot: sealedFile(list("foreign"), { id: OTHER, seq: 7 }),
      log: journalFile([...abc, { inSnapshot: 3 }]),
    },
    names: ["foreign"],
    is: ["file", 3, undefined],
    told: [
      `warning: servers.json is from another registry, or older than the journal reaches: it was taken as it is. ${UNDO}`,
    ],
  },
  "with a journal of another registry as the older one": {
    files: { log1: journalFile([adding("x")], { id: OTHER }), log: journalFile(abc) },
    names: ["a", "b", "c"],
    is: ["journal", 3, undefined],
  },

  "damaged, with the whole journal": {
    files: { snapshot: damaged, log: journalFile(abc) },
    names: ["a", "b", "c"],
    is: ["journal", 3, undefined],
    told: [`error: servers.json is damaged: it is not valid JSON (line 1, column 18); its 3 ${REBUILT}`],
  },
  "damaged, with the older snapshot and both journals": {
    files: {
      snapshot: damaged,
      prev: sealedFile(list("old", "a"), { seq: 8 }),
      log1: journalFile([adding("a"), adding("b")], { base: 7 }),
      log: journalFile([adding("c")], { base: 9, epoch: 2 }),
    },
    names: ["old", "a", "b", "c"],
    is: ["journal", 10, undefined],
    told: [`error: servers.json is damaged: it is not valid JSON (line 1, column 18); its 4 ${REBUILT}`],
  },
  "damaged, with an older snapshot that the journal does not reach to": {
    files: {
      snapshot: damaged,
      prev: sealedFile(list("a", "b"), { seq: 2 }),
      log: journalFile([adding("e")], { base: 4 }),
    },
    names: ["a", "b", "e"],
    is: ["journal", 5, undefined],
    told: [
      "error: servers.json is damaged: it is not valid JSON (line 1, column 18); 3 servers were rebuilt from what is left of the journal, others may be missing",
      "error: 2 changes of the journal cannot be read any more: check your servers",
    ],
  },
  "damaged, with an older snapshot that an empty journal does not reach to: no number is given twice": {
    files: { snapshot: damaged, prev: sealedFile(list("a"), { seq: 1 }), log: journalFile([], { base: 2 }) },
    names: ["a"],
    is: ["journal", 2, undefined],
    told: [
      "error: servers.json is damaged: it is not valid JSON (line 1, column 18); 1 server was rebuilt from what is left of the journal, others may be missing",
      "error: 1 change of the journal cannot be read any more: check your servers",
    ],
  },
  "damaged, and the end of the older journal is lost": {
    files: {
      snapshot: damaged,
      log1: journalFile([adding("a"), adding("b")]),
      log: journalFile([], { base: 3, epoch: 2 }),
    },
    names: ["a", "b"],
    is: ["journal", 3, undefined],
    told: [
      `error: servers.json is damaged: it is not valid JSON (line 1, column 18); its 2 ${REBUILT}`,
      "error: 1 change of the journal cannot be read any more: check your servers",
    ],
  },
  "sealed, older than a mark says there was one": {
    files: { snapshot: sealedFile(list("a"), { seq: 1 }), log: journalFile([adding("a"), { inSnapshot: 2 }]) },
    names: ["a"],
    is: ["snapshot", 2, 1],
    told: [
      "warning: servers.json was an older copy: 0 later changes were made again. To go back use cortex-mcp registry restore --at TIME",
      "error: 1 change of the journal cannot be read any more: check your servers",
    ],
  },
  "damaged, with the older snapshot alone": {
    files: { snapshot: damaged, prev: sealedFile(list("a"), { seq: 1 }) },
    names: ["a"],
    is: ["journal", 1, undefined],
    told: [
      "error: servers.json is damaged: it is not valid JSON (line 1, column 18); 1 server was taken from servers.json.prev, later changes may be missing",
    ],
  },
  "damaged, with the end of a journal": {
    files: { snapshot: damaged, log: journalFile([adding("d")], { base: 3 }) },
    names: ["d"],
    is: ["journal", 4, undefined],
    told: [
      "error: servers.json is damaged: it is not valid JSON (line 1, column 18); 1 server was rebuilt from what is left of the journal, others may be missing",
    ],
  },
  "damaged, and a file that was not ours was what the journal builds on": {
    files: { snapshot: damaged, log: journalFile([adding("a")], { onFile: true }) },
    names: ["a"],
    is: ["journal", 1, undefined],
    told: [
      "error: servers.json is damaged: it is not valid JSON (line 1, column 18); 1 server was rebuilt from what is left of the journal, others may be missing",
    ],
  },
  "damaged, and the file that was not ours is the older one": {
    files: {
      snapshot: damaged,
      prev: looseFile(list("mine")),
      log: journalFile([adding("a")], { onFile: true }),
    },
    names: ["mine", "a"],
    is: ["journal", 1, undefined],
    told: [`error: servers.json is damaged: it is not valid JSON (line 1, column 18); its 2 ${REBUILT}`],
  },
  "damaged, with nothing": {
    files: { snapshot: damaged },
    names: [],
    is: ["nothing", 0, 0],
    told: [
      "error: servers.json is damaged: it is not valid JSON (line 1, column 18); there is no journal to rebuild it from: mend it, or move it away to begin anew",
    ],
  },
  "damaged, with a whole journal beside an older one that is rubbish": {
    files: { snapshot: damaged, log1: Buffer.from("rubbish"), log: journalFile(abc) },
    names: ["a", "b", "c"],
    is: ["journal", 3, undefined],
    told: [`error: servers.json is damaged: it is not valid JSON (line 1, column 18); its 3 ${REBUILT}`],
  },

  "absent, before there ever was one": {
    files: { log: journalFile(abc) },
    names: ["a", "b", "c"],
    is: ["journal", 3, undefined],
  },
  "absent, although there was one": {
    files: { log: journalFile([...abc, { inSnapshot: 2 }]) },
    names: ["a", "b", "c"],
    is: ["journal", 3, undefined],
    told: [`warning: servers.json is gone: its 3 ${REBUILT}. ${GONE}`],
  },
  "absent, with an older one": {
    files: { prev: sealedFile(list("a"), { seq: 1 }), log: journalFile(abc) },
    names: ["a", "b", "c"],
    is: ["journal", 3, undefined],
    told: [`warning: servers.json is gone: its 3 ${REBUILT}. ${GONE}`],
  },
  "absent, with the end of a journal": {
    files: { log: journalFile([adding("d")], { base: 3 }) },
    names: ["d"],
    is: ["journal", 4, undefined],
    told: [
      `error: servers.json is gone: 1 server was rebuilt from what is left of the journal, others may be missing. ${GONE}`,
    ],
  },
  "absent, with the older one alone": {
    files: { prev: sealedFile(list("a", "b"), { seq: 2 }) },
    names: ["a", "b"],
    is: ["journal", 2, undefined],
    told: [
      `error: servers.json is gone: 2 servers were taken from servers.json.prev, later changes may be missing. ${GONE}`,
    ],
  },

  "a gap in the journal": {
    files: {
      snapshot: sealedFile(list("a"), { seq: 1 }),
      log: journalFile([adding("a"), changeOf(adding("c"), 3), changeOf(adding("f"), 6)]),
    },
    names: ["a", "c", "f"],
    is: ["snapshot", 6, 1],
    told: ["error: 3 changes of the journal cannot be read any more: check your servers"],
  },
  "one number given to two changes": {
    files: { log: journalFile([adding("a"), changeOf(adding("b"), 2), changeOf(adding("c"), 2)]) },
    names: ["a", "b", "c"],
    is: ["journal", 2, undefined],
    told: ["warning: 1 change of the journal was written by two processes at once, without a lock: all were kept"],
  },
  "what the older journal lost stands in the newer one": {
    files: {
      snapshot: sealedFile(list("a"), { seq: 1 }),
      log1: journalFile([adding("a"), changeOf(adding("c"), 3)]),
      log: journalFile([adding("b"), adding("c"), adding("d")], { base: 1, epoch: 2 }),
    },
    names: ["a", "b", "c", "d"],
    is: ["snapshot", 4, 1],
  },
  "what the newer journal should have taken over stands in the older one": {
    files: { snapshot: sealedFile(list("a"), { seq: 1 }), log1: journalFile(abc), log: Buffer.alloc(0) },
    names: ["a", "b", "c"],
    is: ["snapshot", 3, 1],
    told: ["info: the last change in servers.json.log was cut short before it was acknowledged: it was dropped"],
  },
  "a journal with a torn end": {
    files: {
      log: Buffer.concat([
        journalFile([adding("a")]),
        ...frames([adding("b")], 1, 1).map((frame) => frame.subarray(1)),
      ]),
    },
    names: ["a"],
    is: ["journal", 1, undefined],
    told: ["info: the last change in servers.json.log was cut short before it was acknowledged: it was dropped"],
  },
};

describe("recover (R11): servers.json", () => {
  test.each(Object.entries(rows))("%s", (_, row) => {
    expectRecovered(row);
  });
});
