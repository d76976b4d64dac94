import { RegistryTable } from "../document/registry-table.js";
import type { RegistryItem } from "../document/registry-item.js";
import { nameOf, type Operation } from "../journal/operation.js";
import { makeEqual } from "./differences.js";
import { baseOf, type Evidence, type State } from "./evidence.js";
import type { Snapshot } from "./read-snapshot.js";
import { replay } from "./replay.js";

/** What became of a `servers.json` that somebody else wrote or changed. */
export interface HandEdited {
  readonly state: State;
  readonly snapshotSeq: number | undefined;
  readonly edit: readonly Operation[];
  /** The names of the servers that the edit added, changed or removed; none when there was nothing before it. */
  readonly edited?: readonly string[];
  /** The names of servers that are missing from the file and stay, because a part of it cannot be read. */
  readonly stayed?: readonly string[];
}

/**
 * Takes a file in that is not as we wrote it.
 *
 * Its writer cannot have seen the changes that commands made after the generation it was made from: these are made on top of it, so that an
 * editor that saves over a command's `add` loses nothing. What earlier edits by hand changed is not: the newer file supersedes it. While a
 * part of it is no server, what is missing from it stays: that part may be what it was.
 */
export function handEdited(
  file: Extract<Snapshot, { kind: "sealed" | "loose" }>,
  before: State | undefined,
  evidence: Evidence,
): HandEdited {
  const table = new RegistryTable(file.document);
  if (before === undefined) {
    const seq = sealOf(file)?.seq ?? 0;
    const state = { table, seq, made: 0, missing: 0, complete: true };
    // As it stands it may stay until the first change; one with a wrong sum is sealed anew.
    return { state, snapshotSeq: file.kind === "loose" && file.seal !== undefined ? undefined : seq, edit: [] };
  }
  replay(table, evidence.journals, seenBy(file, evidence), ({ by }) => by !== "hand");
  const stayed = keepUnreadable(table, before.table);
  const state = { ...before, table };
  // What is only half known is no reason to take anything away from the file.
  if (!before.complete) return { state: { ...state, complete: true }, snapshotSeq: undefined, edit: [] };
  const edit = makeEqual(before.table, table);
  const edited = [...new Set(edit.flatMap((operation) => nameOf(operation) ?? []))];
  return { state, snapshotSeq: undefined, edit, edited, stayed };
}

/** Up to which sequence number whoever wrote the file knew the changes. */
function seenBy(file: Extract<Snapshot, { kind: "sealed" | "loose" }>, { journals, id }: Evidence): number {
  const seal = sealOf(file);
  if (seal !== undefined && seal.id === id && seal.seq >= (baseOf(journals) ?? 0)) return seal.seq;
  // It does not say: all that ever stood in a `servers.json`.
  return Math.max(0, ...journals.map(({ snapshotSeq }) => snapshotSeq ?? 0));
}

const sealOf = (
  file: Extract<Snapshot, { kind: "sealed" | "loose" }>,
): { readonly id: string; readonly seq: number } | undefined => (file.kind === "sealed" ? file.generation : file.seal);

function keepUnreadable(table: RegistryTable, before: RegistryTable): readonly string[] {
  const { items } = table.document;
  if (items.every(({ entry }) => entry !== undefined)) return [];
  const missing = before.served.filter(({ name }) => table.servedItem(name) === undefined);
  // First, so that what is mended later comes after it and counts.
  const raws = missing.flatMap(({ name }) => before.servedItem(name) ?? []);
  table.apply({ op: "i", at: raws.map((item: RegistryItem, index) => [index, item.raw]) });
  return missing.map(({ name }) => name);
}
