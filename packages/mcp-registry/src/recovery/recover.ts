import { EMPTY_REGISTRY } from "../document/registry-file.js";
import { RegistryTable } from "../document/registry-table.js";
import type { Generation } from "../document/seal.js";
import type { Journal } from "../journal/journal.js";
import type { Operation } from "../journal/operation.js";
import { findingsOf, type Outcome } from "./findings.js";
import type { Finding } from "./finding.js";
import { handEdited } from "./hand-edit.js";
import { baseOf, evidenceOf, firstOf, type Basis, type Evidence, type RegistryBytes, type State } from "./evidence.js";
import type { Snapshot } from "./read-snapshot.js";
import { changesOf, collisionsIn, replay } from "./replay.js";

/** The state that the files of a registry stand for. */
export interface Recovered {
  readonly table: RegistryTable;
  /** The registry's identity; none when the files tell none. */
  readonly id: string | undefined;
  readonly epoch: number;
  readonly seq: number;
  readonly basis: Basis;
  readonly snapshot: Snapshot;
  /** What `servers.json` holds as it stands; none when it has to be written anew. */
  readonly snapshotSeq: number | undefined;
  /** Up to which change the older snapshot goes; none when there is no usable one. Reads it when it is first asked for. */
  readonly prevSeq: () => number | undefined;
  readonly log: Journal | undefined;
  /** Whether the first journal builds, or will build, on a `servers.json` that was not ours: nothing else tells what that held. */
  readonly isOnFile: boolean;
  /** What a hand edit of `servers.json` changed, to be put into the journal. */
  readonly edit: readonly Operation[];
  readonly findings: readonly Finding[];
}

/**
 * What the files of a registry stand for: pure, and it never throws, whatever the bytes. Nothing that was acknowledged and can still be read
 * somewhere is left out (R11):
 *
 * - `servers.json` as we wrote it, with the changes of the journals that are newer. An older one put back is rolled forward.
 * - One that is not ours, or was changed by hand, is taken as it is, with the changes by commands that its writer cannot have seen.
 * - Without a usable one: the older snapshot, or the beginning, with the changes of both journals.
 */
export function recover(bytes: RegistryBytes): Recovered {
  const evidence = evidenceOf(bytes);
  const { snapshot, journals, log, prev, id } = evidence;
  const generation = snapshot.kind === "sealed" ? snapshot.generation : undefined;
  const common = {
    snapshot,
    log,
    epoch: Math.max(generation?.epoch ?? 0, ...journals.map((journal) => journal.epoch)),
    prevSeq: seqOfPrev(prev, id),
  };
  const done = (state: State, rest: Outcome & Pick<Recovered, "snapshotSeq">): Recovered => {
    const { basis, snapshotSeq, edit } = rest;
    const findings = findingsOf(evidence, state, rest, collisionsIn(changesOf(journals)));
    const isOnFile = firstOf(journals)?.onFile ?? basis === "file";
    return { ...common, id, isOnFile, table: state.table, seq: state.seq, basis, snapshotSeq, edit, findings };
  };

  if (snapshot.kind === "sealed" && continues(snapshot.generation, evidence)) {
    const { seq } = snapshot.generation;
    const state = stateFrom(new RegistryTable(snapshot.document), seq, evidence, true);
    return done(state, { basis: "snapshot", snapshotSeq: seq, edit: [] });
  }
  const before = stateWithoutSnapshot(evidence);
  if (snapshot.kind === "sealed" || snapshot.kind === "loose") {
    const edited = handEdited(snapshot, before, evidence);
    return done(edited.state, { ...edited, basis: "file" });
  }
  if (before === undefined) {
    const state = { table: new RegistryTable(EMPTY_REGISTRY), seq: 0, made: 0, missing: 0, complete: true };
    // Not to be written anew: an empty registry in the place of one that cannot be read would be all that is left of it.
    return done(state, { basis: "nothing", snapshotSeq: 0, edit: [] });
  }
  return done(before, { basis: "journal", snapshotSeq: undefined, edit: [] });
}

/** Apart from everything else that is known, so that nothing else is kept for it. */
const seqOfPrev = (read: Evidence["prev"], id: string | undefined) => (): number | undefined => {
  const prev = read();
  return prev.kind === "sealed" && prev.generation.id === id ? prev.generation.seq : undefined;
};

/** Whether a snapshot is of this registry, and the journals go on where it ends. */
function continues({ id, seq }: Generation, evidence: Evidence): boolean {
  const base = baseOf(evidence.journals);
  return id === evidence.id && (base === undefined || seq >= base);
}

/** What the older snapshot and the journals say; none when there is neither. */
function stateWithoutSnapshot(evidence: Evidence): State | undefined {
  const { journals } = evidence;
  const prev = evidence.prev();
  if (prev.kind === "sealed" && continues(prev.generation, evidence)) {
    return stateFrom(new RegistryTable(prev.document), prev.generation.seq, evidence, true);
  }
  const first = firstOf(journals);
  if (first !== undefined) {
    // An older one that the journals do not reach to has more than nothing.
    if (prev.kind === "sealed" && prev.generation.id === evidence.id) {
      return stateFrom(new RegistryTable(prev.document), prev.generation.seq, evidence, false);
    }
    // The first journal of all begins at what there was before it: nothing, or a file that was not ours.
    const { base, onFile } = first;
    const isBase = base === 0 && onFile && prev.kind === "loose";
    if (isBase) return stateFrom(new RegistryTable(prev.document), base, evidence, true);
    return stateFrom(new RegistryTable(EMPTY_REGISTRY), base, evidence, base === 0 && !onFile);
  }
  if (prev.kind !== "sealed" && prev.kind !== "loose") return undefined;
  const seq = prev.kind === "sealed" ? prev.generation.seq : 0;
  return stateFrom(new RegistryTable(prev.document), seq, evidence, true);
}

const stateFrom = (table: RegistryTable, from: number, { journals }: Evidence, complete: boolean): State => ({
  table,
  complete,
  ...replay(table, journals, from),
});
