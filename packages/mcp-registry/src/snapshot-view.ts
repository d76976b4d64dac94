import { lookOf } from "./file-look.js";
import type { FileStat } from "./fs/registry-fs.js";
import type { Recovered } from "./recovery/recover.js";

/** What is known of `servers.json` as it stands. */
export interface SnapshotView {
  readonly look: string;
  readonly kind: Recovered["snapshot"]["kind"];
  /** Which change it goes up to; none: it has to be written. */
  readonly seq: number | undefined;
}

/** As it was found. */
export const viewOf = (state: Recovered, stat: FileStat | undefined): SnapshotView => ({
  look: lookOf(stat),
  kind: state.snapshot.kind,
  seq: state.snapshotSeq,
});
