import { keepCorrupt, keepTorn } from "../kept-copies.js";
import type { RegistryFiles } from "../registry-files.js";
import { JournalFile } from "./journal-file.js";
import { baseOfJournal, type Journal } from "./journal.js";

/**
 * Opens a journal that was read, to go on with it; what is cut off from it or damaged in it is kept beside it.
 *
 * @returns none for one without a beginning: a new one takes its place
 */
export function mendedJournal(
  files: RegistryFiles,
  journal: Journal,
  bytes: Buffer,
  atMs: number,
): JournalFile | undefined {
  const { state, end, epoch, isMarked } = journal;
  if (state === "torn" && end < bytes.length) keepTorn(files, bytes.subarray(end), atMs);
  if (state === "corrupt") keepCorrupt(files, files.log, atMs);
  if (!isMarked) files.entries.distrust();
  const base = baseOfJournal(journal);
  return base === undefined ? undefined : JournalFile.open(files, { epoch, base }, { end, read: bytes.length });
}
