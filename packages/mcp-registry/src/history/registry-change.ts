import type { Change, ChangeOrigin } from "../journal/journal.js";
import { nameOf } from "../journal/operation.js";

/** One change of the registry, for people: what happened, never which values. */
export interface RegistryChange {
  /** Its number: each change has the next one. */
  readonly seq: number;
  /** When, in milliseconds since the epoch. */
  readonly atMs: number;
  /** `arranged`: the order, an unknown member or something that is not served. */
  readonly kind: "added" | "changed" | "removed" | "arranged";
  /** The server it was about; none for `arranged`. */
  readonly name?: string;
  /** Whose doing it was. */
  readonly by: ChangeOrigin;
  /** The number of the first change that was made as one with this. */
  readonly group: number;
  /** Whether it was taken back since. */
  readonly undone: boolean;
}

/** Changes as people see them. */
export function describeChanges(changes: readonly Change[]): readonly RegistryChange[] {
  const undone = undoneIn(changes);
  return changes.map((change) => {
    const name = nameOf(change.operation);
    return {
      ...{ seq: change.seq, atMs: change.atMs, kind: kindOf(change), by: change.by, group: change.group },
      ...(name === undefined ? {} : { name }),
      undone: undone.has(change.group),
    };
  });
}

/** The groups that were taken back. */
export const undoneIn = (changes: readonly Change[]): ReadonlySet<number> =>
  new Set(changes.flatMap(({ undoes }) => undoes));

function kindOf({ operation }: Change): RegistryChange["kind"] {
  switch (operation.op) {
    case "u":
      return operation.w === undefined ? "added" : "changed";
    case "r":
      return "removed";
    case "i":
      return "added";
    case "x":
      return "arranged";
  }
}
