import type { RegistryTable } from "../document/registry-table.js";
import type { Change, Journal } from "../journal/journal.js";

/** What {@link replay} met on its way. */
export interface Replay {
  /** The sequence number of the last change that there was, or the one it began with. */
  readonly seq: number;
  /** How many changes were made. */
  readonly made: number;
  /** How many sequence numbers are missing. */
  readonly missing: number;
}

/**
 * The changes of journals, older first, each once: the newer journal has taken some over from the older one. In order of their numbers where a
 * journal lost some that the other has. Two that have one number and are not the same count both: each was acknowledged.
 */
export function changesOf(journals: readonly Journal[]): readonly Change[] {
  let changes: readonly Change[] = [];
  let isLate = false;
  for (const journal of journals) {
    const numbers = new Set(journal.changes.map(({ seq }) => seq));
    const known = new Set(changes.filter(({ seq }) => numbers.has(seq)).map(textOf));
    const last = changes.at(-1)?.seq ?? -1;
    const added = known.size === 0 ? journal.changes : journal.changes.filter((change) => !known.has(textOf(change)));
    isLate ||= added.some(({ seq }) => seq < last);
    changes = changes.concat(added);
  }
  return isLate ? changes.toSorted((one, other) => one.seq - other.seq) : changes;
}

const textOf = ({ seq, atMs, operation }: Change): string => JSON.stringify([seq, atMs, operation]);

/**
 * Makes the changes of journals, older first, that are newer than `from`, in their order.
 *
 * @param counts which of them to make; all when left out
 */
export function replay(
  table: RegistryTable,
  journals: readonly Journal[],
  from: number,
  counts: (change: Change) => boolean = () => true,
): Replay {
  let seq = from;
  let made = 0;
  let missing = 0;
  // Two that wrote without a lock give one number to two changes: both are made, each was acknowledged.
  for (const change of changesOf(journals)) {
    if (change.seq <= from) continue;
    missing += Math.max(0, change.seq - seq - 1);
    seq = Math.max(seq, change.seq);
    if (!counts(change)) continue;
    table.apply(change.operation);
    made++;
  }
  // Up to where there were changes once: no number is given twice, also where they cannot be read any more.
  const reached = Math.max(
    seq,
    ...journals.map(({ header, snapshotSeq }) => Math.max(header?.base ?? 0, snapshotSeq ?? 0)),
  );
  return { seq: reached, made, missing: missing + reached - seq };
}

/** How many changes have a number that another one had before: writers that did not see each other. */
export const collisionsIn = (changes: readonly Change[]): number =>
  changes.filter(({ seq }, at) => at > 0 && seq <= (changes[at - 1]?.seq ?? -1)).length;
