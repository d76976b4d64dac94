import { describe, test } from "vitest";
import { expectRecovered, type RecoveryRow } from "./recover-rows.js";
import {
  adding,
  changeOf,
  editedFile,
  journalFile,
  looseFile,
  removing,
  sealedFile,
  stdio,
} from "./recovery-fixture.js";

const list = (...names: string[]): object => ({ servers: names.map((name) => stdio(name)) });
const abc = [adding("a"), adding("b"), adding("c")];
const UNDO = "cortex-mcp registry undo takes that back";

const rows: Readonly<Record<string, RecoveryRow>> = {
  "written by hand, without anything else": {
    files: { snapshot: looseFile(list("a")) },
    names: ["a"],
    is: ["file", 0, 0],
  },
  "written by hand, with the first changes of all": {
    files: { snapshot: looseFile(list("mine")), log: journalFile([adding("a")], { onFile: true }) },
    names: ["mine", "a"],
    is: ["file", 1, undefined],
  },
  "written by hand beside a journal whose changes it has seen": {
    files: { snapshot: looseFile(list("a", "mine")), log: journalFile([...abc, { inSnapshot: 3 }]) },
    names: ["a", "mine"],
    is: ["file", 3, undefined],
    told: [`warning: servers.json was changed by hand (b, c, mine): taken as it is. ${UNDO}`],
  },
  "written by hand beside a journal with a change that it has not seen": {
    files: { snapshot: looseFile(list("mine")), log: journalFile([adding("a"), { inSnapshot: 1 }, adding("b")]) },
    names: ["mine", "b"],
    is: ["file", 2, undefined],
    told: [`warning: servers.json was changed by hand (a, mine): taken as it is. ${UNDO}`],
  },
  "written by hand beside an older snapshot that is all there is": {
    files: { snapshot: looseFile(list("mine")), prev: sealedFile(list("a"), { seq: 4 }) },
    names: ["mine"],
    is: ["file", 4, undefined],
    told: [`warning: servers.json was changed by hand (a, mine): taken as it is. ${UNDO}`],
  },
  "edited, with the seal it had": {
    files: { snapshot: editedFile(list("a", "mine"), list("a"), { seq: 1 }), log: journalFile([adding("a")]) },
    names: ["a", "mine"],
    is: ["file", 1, undefined],
    told: [`warning: servers.json was changed by hand (mine): taken as it is. ${UNDO}`],
  },
  "edited and sealed before a command added one": {
    files: {
      snapshot: editedFile(list("mine"), list("a"), { seq: 1 }),
      log: journalFile([...abc, { inSnapshot: 3 }]),
    },
    names: ["mine", "b", "c"],
    is: ["file", 3, undefined],
    told: [`warning: servers.json was changed by hand (a, mine): taken as it is. ${UNDO}`],
  },
  "edited, and a command removed what is in it": {
    files: {
      snapshot: editedFile(list("a", "b", "mine"), list("a", "b"), { seq: 2 }),
      log: journalFile([adding("a"), adding("b"), removing("a")]),
    },
    names: ["b", "mine"],
    is: ["file", 3, undefined],
    told: [`warning: servers.json was changed by hand (mine): taken as it is. ${UNDO}`],
  },
  "edited again with the seal of before the first edit": {
    files: {
      snapshot: editedFile(list("a", "second"), list("a"), { seq: 1 }),
      log: journalFile([adding("a"), { ...changeOf(adding("first"), 2), by: "hand" }]),
    },
    names: ["a", "second"],
    is: ["file", 2, undefined],
    told: [`warning: servers.json was changed by hand (first, second): taken as it is. ${UNDO}`],
  },
  "edited, and the edit is in the journal already": {
    files: {
      snapshot: editedFile(list("a", "mine"), list("a"), { seq: 1 }),
      log: journalFile([adding("a"), { ...changeOf(adding("mine"), 2), by: "hand" }]),
    },
    names: ["a", "mine"],
    is: ["file", 2, undefined],
    told: ["warning: servers.json was changed by hand: taken as it is"],
  },
  "edited, with an element that is no server: what is missing stays": {
    files: {
      snapshot: editedFile({ servers: [stdio("a"), { name: "b", comand: "typo" }] }, list("a", "b"), { seq: 2 }),
      log: journalFile([adding("a"), adding("b")]),
    },
    names: ["b", "a"],
    is: ["file", 2, undefined],
    told: [
      `warning: servers.json was changed by hand: taken as it is; b stays, though it is not in it, because a part of it cannot be read. ${UNDO}`,
    ],
  },
  "edited, without a journal": {
    files: { snapshot: editedFile(list("a", "mine"), list("a"), { seq: 5 }) },
    names: ["a", "mine"],
    is: ["file", 5, undefined],
    told: ["warning: servers.json was changed by hand: taken as it is"],
  },
};

describe("recover (R11): a servers.json that is not as we wrote it", () => {
  test.each(Object.entries(rows))("%s", (_, row) => {
    expectRecovered(row);
  });
});
