import type { RegistryTable } from "../document/registry-table.js";
import { readJournal, type Journal } from "../journal/journal.js";
import { readSnapshot, type Snapshot } from "./read-snapshot.js";
import type { Replay } from "./replay.js";

/** What the files of a registry hold; a file that is not there is left out. */
export interface RegistryBytes {
  readonly snapshot?: Buffer | undefined;
  readonly prev?: Buffer | undefined;
  readonly log?: Buffer | undefined;
  readonly log1?: Buffer | undefined;
}

/** Where the state came from. */
export type Basis =
  /** There is nothing on the disk. */
  | "nothing"
  /** `servers.json` as we wrote it, with what the journals add. */
  | "snapshot"
  /** `servers.json` as somebody else wrote it. */
  | "file"
  /** The older snapshot, or none, with what the journals add. */
  | "journal";

/** What the state is made from, and what was met on the way. */
export interface Evidence {
  readonly snapshot: Snapshot;
  readonly log: Journal | undefined;
  readonly log1: Journal | undefined;
  /** Older first; those that belong together. */
  readonly journals: readonly Journal[];
  /** Read when it is first asked for: while `servers.json` is as it should be, nobody does. */
  readonly prev: () => Snapshot;
  /** The identity that the journals tell, else the snapshots. */
  readonly id: string | undefined;
}

/** A state, before anybody asks what becomes of it. */
export interface State extends Replay {
  readonly table: RegistryTable;
  /** Whether it begins where the registry began or at a snapshot; if not, a part is missing. */
  readonly complete: boolean;
}

/** Reads all files. */
export function evidenceOf(bytes: RegistryBytes): Evidence {
  const snapshot = readSnapshot(bytes.snapshot);
  const prev = readOnce(bytes.prev);
  const log = bytes.log === undefined ? undefined : readJournal(bytes.log);
  const log1 = bytes.log1 === undefined ? undefined : readJournal(bytes.log1);
  const id = log?.header?.id ?? log1?.header?.id ?? idOf(snapshot) ?? idOf(prev());
  const journals = [log1, log].flatMap((journal) =>
    journal !== undefined && (journal.header === undefined || journal.header.id === id) ? [journal] : [],
  );
  return { snapshot, prev, log, log1, journals, id };
}

function readOnce(bytes: Buffer | undefined): () => Snapshot {
  let snapshot: Snapshot | undefined;
  return () => (snapshot ??= readSnapshot(bytes));
}

const idOf = (snapshot: Snapshot): string | undefined =>
  snapshot.kind === "sealed" ? snapshot.generation.id : undefined;

/** What the first of all changes builds on. */
export interface Beginning {
  /** The sequence number before it: from there on the journals have everything. */
  readonly base: number;
  /** Whether that is a `servers.json` that was not ours. */
  readonly onFile: boolean;
}

/** Where the journals begin; none when none of them tells anything. */
export function firstOf(journals: readonly Journal[]): Beginning | undefined {
  for (const { header, changes } of journals) {
    if (header !== undefined) return header;
    const first = changes[0];
    if (first !== undefined) return { base: first.seq - 1, onFile: false };
  }
  return undefined;
}

/** The sequence number from which on the journals have everything; none when there are none. */
export const baseOf = (journals: readonly Journal[]): number | undefined => firstOf(journals)?.base;
