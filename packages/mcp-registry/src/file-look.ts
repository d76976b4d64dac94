import type { FileStat } from "./fs/registry-fs.js";

/** How no file looks. */
export const UNKNOWN_LOOK = "unknown";

/** What changes in a file when somebody writes it: which file it is, its size, and when. */
export const lookOf = (stat: FileStat | undefined): string =>
  stat === undefined ? "" : `${stat.identity} ${stat.size} ${stat.mtimeNs}`;
