import type { Scenario } from "../scenario.js";
import { killAtCall } from "../scenarios/kill-at-call.js";
import { interleaved } from "../scenarios/interleaved.js";
import { powerCuts } from "../scenarios/power-cuts.js";

/** A piece of compiled code and what stands in its place in the mutant. */
export interface MutantEdit {
  /** Below the compiled registry's folder. */
  readonly file: string;
  /** Must be there exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** The registry with one deliberate bug, and the scenario that has to find it. */
export interface Mutant {
  readonly name: string;
  readonly edits: readonly MutantEdit[];
  readonly caughtBy: Scenario;
  readonly rounds: number;
}

/** Bugs that registries have had: a suite that lets one of them through proves nothing. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: "no journal sync",
    edits: [
      {
        file: "journal/journal-file.js",
        find: "await this.#file.during(async (fd) => this.#files.fs.datasync(fd));",
        replace: "",
      },
    ],
    caughtBy: powerCuts,
    rounds: 3,
  },
  {
    name: "no snapshot sync",
    edits: [{ file: "snapshot-pass.js", find: "await files.fs.sync(fd);", replace: "" }],
    caughtBy: powerCuts,
    rounds: 5,
  },
  {
    name: "no directory sync",
    edits: [{ file: "folder-entries.js", find: "await this.#fs.sync(fd);", replace: "" }],
    caughtBy: powerCuts,
    rounds: 3,
  },
  {
    name: "truncate first",
    edits: [
      {
        file: "snapshot-pass.js",
        find: "const temporary = await this.#durableFile(files.snapshot, bytes);",
        replace:
          "await lock.run(() => { store.catchUp(); store.startJournal(generation.seq); }); const temporary = await this.#durableFile(files.snapshot, bytes);",
      },
    ],
    caughtBy: killAtCall,
    rounds: 3,
  },
  {
    name: "dirty flag cleared late",
    edits: [
      {
        file: "snapshot-pass.js",
        find: "this.#putInPlace(temporary, generation.seq, snapshot.look)",
        replace: "this.#putInPlace(temporary, store.generation.seq, snapshot.look)",
      },
      {
        file: "snapshot-pass.js",
        find: "await this.#closeJournal(generation.seq, bytes);",
        replace: "await this.#closeJournal(store.generation.seq, bytes);",
      },
    ],
    caughtBy: killAtCall,
    rounds: 10,
  },
  {
    name: "no lock",
    edits: [
      {
        file: "section-lock.js",
        find: "return whenTaken(this.#taker, this.#settings, (lock) => use(lock, section));",
        replace: "return section();",
      },
      {
        file: "section-lock.js",
        find: "const attempt = this.#taker.attempt();",
        replace: "return section(); const attempt = this.#taker.attempt();",
      },
    ],
    caughtBy: interleaved,
    rounds: 1,
  },
];
