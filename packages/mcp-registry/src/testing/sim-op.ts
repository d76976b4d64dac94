/** What never changes of an inode. */
export interface SimIdentity {
  readonly id: number;
  readonly kind: "file" | "folder" | "link";
  /** What a link says; empty for others. */
  readonly text: string;
}

/** An entry of a folder that now leads to an inode, or to nothing. */
export interface SimEntry {
  readonly folder: number;
  readonly name: string;
  readonly to: SimIdentity | undefined;
}

/** One change of a file system, as small as it can be on the disk. A rename is one: it happens as a whole or not at all. */
export type SimChange =
  | { readonly kind: "write"; readonly inode: number; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly inode: number; readonly length: number }
  | { readonly kind: "entries"; readonly entries: readonly SimEntry[] };

/** A change, and when it happened: in the page cache at `tick`, on the disk at `durableTick`. */
export interface SimOp {
  readonly tick: number;
  readonly change: SimChange;
  /** `Infinity` while it is in the page cache only. */
  readonly durableTick: number;
}

/**
 * What a power cut makes of a change that was in the page cache only: it is `kept` or `lost`; of a write the bytes before `cut` alone
 * reached the disk, or the file grew and the listed sectors (of 512 bytes, counted from the beginning of the file) hold zeros.
 */
export type SimFate = "kept" | "lost" | { readonly cut: number } | { readonly zeroed: readonly number[] };

const SECTOR = 512;

/** A change as a power cut leaves it; `undefined` when it left nothing. Only a write can be torn. */
export function afterCut(change: SimChange, fate: SimFate): SimChange | undefined {
  if (fate === "lost") return undefined;
  if (fate === "kept" || change.kind !== "write") return change;
  if ("cut" in fate) return { ...change, bytes: change.bytes.subarray(0, fate.cut) };
  const bytes = Uint8Array.from(change.bytes);
  for (const sector of fate.zeroed) {
    const start = sector * SECTOR - change.offset;
    if (start + SECTOR > 0) bytes.fill(0, Math.max(0, start), Math.max(0, start + SECTOR));
  }
  return { ...change, bytes };
}

/** The inodes whose `sync` makes a change durable. */
export function syncedBy(change: SimChange): readonly number[] {
  return change.kind === "entries" ? change.entries.map(({ folder }) => folder) : [change.inode];
}
