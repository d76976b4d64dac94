import type { JournalFile } from "./journal/journal-file.js";
import type { RegistryStore } from "./registry-store.js";
import type { SectionLock } from "./section-lock.js";

/**
 * Adds a mark to the journal. It is a help to recovery only: that it cannot be written, or that somebody keeps the lock, is no failure of what it
 * marks.
 */
export async function addMark(
  lock: SectionLock,
  store: RegistryStore,
  bytesOf: (journal: JournalFile) => Uint8Array,
): Promise<void> {
  try {
    await lock.run(() => {
      store.mark(bytesOf);
    });
  } catch {
    // Without the mark an end that is damaged later counts as torn, and a copy that is put back later as a newer one.
  }
}
