import { GatewayError } from "@cortex-os/mcp-core";
import { registryFileBytes } from "./document/registry-file.js";
import { registryIoError } from "./io-error.js";
import { encodeSnapshotMark } from "./journal/journal.js";
import { addMark } from "./mark.js";
import { MAX_SNAPSHOT_BYTES, type RegistryFiles } from "./registry-files.js";
import type { RegistryStore } from "./registry-store.js";
import type { SectionLock } from "./section-lock.js";
import type { SharedPass } from "./shared-pass.js";

/** What a {@link SnapshotPass} works with. */
export interface SnapshotPassDeps {
  readonly store: RegistryStore;
  readonly files: RegistryFiles;
  readonly lock: SectionLock;
  /** Makes the journal durable. */
  readonly commits: SharedPass<unknown>;
  /** A journal longer than this, in bytes, is closed and a new one begun. */
  readonly journalLimitBytes: number;
}

const MOST_TRIES = 20;

/**
 * Writes `servers.json`, in an order that never leaves a hole (reliability.md, 4.2): the journal is durable, the new snapshot is, the one before it
 * gets the name `.prev`, the new one its own, and the folder is durable, before anything is taken from the journal.
 */
export class SnapshotPass {
  readonly #deps: SnapshotPassDeps;
  /** Whether a snapshot was put in its place and its entry in the folder may not be durable. */
  #isUnsure = false;

  constructor(deps: SnapshotPassDeps) {
    this.#deps = deps;
  }

  /**
   * Writes what there is, unless a durable snapshot says the same.
   *
   * @returns whether it wrote
   * @throws GatewayError `REGISTRY_IO`; the journal has everything, and the next pass tries again
   */
  async write(): Promise<boolean> {
    const { store, files, lock, commits } = this.#deps;
    if (!store.isDirty && !this.#isUnsure) return false;
    files.ensureFolder();
    await lock.run(() => {
      store.catchUp();
    });
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      if (!store.isDirty && !this.#isUnsure) return this.#writtenByOthers();
      const { generation, table, snapshot } = store;
      const bytes = registryFileBytes(table.document, generation);
      if (bytes.length > MAX_SNAPSHOT_BYTES) throw tooLong(files.snapshot);
      // A journal that cannot be made durable is not relied on from then on: this pass puts new files in its place.
      if (!store.mustRenew) await commits.run().catch(() => {});
      const temporary = await this.#durableFile(files.snapshot, bytes);
      if (await this.#commitStep(temporary, () => this.#putInPlace(temporary, generation.seq, snapshot.look))) {
        await this.#syncFolders();
        this.#isUnsure = false;
        await this.#closeJournal(generation.seq, bytes);
        return true;
      }
    }
    throw new GatewayError("REGISTRY_IO", `cannot write ${files.snapshot}: others kept changing it at the same time`);
  }

  /** Whoever wrote it may not be through yet: its entry in the folder is made durable before anybody is told that it is. */
  async #writtenByOthers(): Promise<false> {
    const { files } = this.#deps;
    files.entries.changed();
    await this.#syncFolders();
    return false;
  }

  /** Under the lock; the temporary file goes when that cannot be had, too. */
  async #commitStep(temporary: string | undefined, section: () => boolean): Promise<boolean> {
    const { lock, files } = this.#deps;
    try {
      return await lock.run<boolean>(section);
    } catch (error) {
      if (temporary !== undefined) files.discard(temporary);
      throw registryIoError("write", files.snapshot, error);
    }
  }

  /** Bytes that are to take the place of a file, durably under a temporary name. */
  async #durableFile(file: string, bytes: Uint8Array): Promise<string> {
    const { files } = this.#deps;
    const temporary = files.temporary(file);
    try {
      const fd = files.fs.open(temporary, "create");
      try {
        files.append(fd, bytes);
        await files.fs.sync(fd);
      } finally {
        files.fs.close(fd);
      }
      return temporary;
    } catch (error) {
      files.discard(temporary);
      throw registryIoError("write", file, error);
    }
  }

  /** In a section. Whether the snapshot is in its place, or a newer one of somebody else's; if not, it was made from what is not true any more. */
  #putInPlace(temporary: string, seq: number, look: string): boolean {
    const { store, files } = this.#deps;
    store.catchUp();
    const { snapshot } = store;
    if (snapshot.look !== look) {
      files.discard(temporary);
      // Somebody else's, whose entry in the folder may not be durable yet.
      files.entries.changed();
      return snapshot.kind === "sealed" && snapshot.seq !== undefined && snapshot.seq >= seq;
    }
    const prevSeq = this.#keepPrevious();
    this.#isUnsure = true;
    files.fs.rename(temporary, files.snapshot);
    files.entries.renewed();
    store.snapshotWritten(seq, files.statIfThere(files.snapshot), prevSeq);
    return true;
  }

  /** Gives the snapshot that is there the name `.prev`; one that is no state of the registry never takes the place of one that is. */
  #keepPrevious(): number | undefined {
    const { store, files } = this.#deps;
    const { snapshot } = store;
    if (snapshot.kind === "damaged") store.keepDamaged();
    const isOurs = snapshot.kind === "sealed" && snapshot.seq !== undefined;
    const isBase = snapshot.kind === "loose" && store.isOnFile && store.prevSeq === undefined;
    if (!isOurs && !isBase) return store.prevSeq;
    files.linkOver(files.snapshot, files.prev);
    return isOurs ? snapshot.seq : undefined;
  }

  async #syncFolders(): Promise<void> {
    const { store, files } = this.#deps;
    try {
      await files.entries.sync();
    } catch (error) {
      store.distrustJournal();
      throw registryIoError("make durable", files.snapshot, error);
    }
  }

  /** Notes that the snapshot is durable, and begins a new journal when the old one is long or not to be relied on. */
  async #closeJournal(seq: number, bytes: Uint8Array): Promise<void> {
    const { store, files, lock, commits } = this.#deps;
    await addMark(lock, store, ({ epoch }) => encodeSnapshotMark(epoch, seq));
    if (!this.#isTimeForNewJournal(seq)) return;
    const old = store.journal;
    // An older snapshot that needs what the old journal may not have is of no use: this one takes its place, too. Not as a second name of one
    // file, which an editor would change under both.
    const older = this.#isOlderUsable ? undefined : await this.#durableFile(files.prev, bytes);
    await this.#commitStep(older, () => {
      store.catchUp();
      if (store.journal !== old) {
        if (older !== undefined) files.discard(older);
        return false;
      }
      if (older !== undefined) files.fs.rename(older, files.prev);
      if (old !== undefined) files.linkOver(files.log, files.log1);
      files.entries.changed();
      return true;
    });
    // The old journal has its new name before the new one takes the old name.
    await this.#syncFolders();
    await commits.between(async () =>
      lock.run(() => {
        store.catchUp();
        if (store.journal !== old) return;
        store.startJournal(seq);
      }),
    );
    await this.#syncFolders();
  }

  get #isOlderUsable(): boolean {
    const { mustRenew, prevSeq, journal } = this.#deps.store;
    return !mustRenew && (prevSeq ?? -1) >= (journal?.base ?? 0);
  }

  #isTimeForNewJournal(seq: number): boolean {
    const { store, journalLimitBytes } = this.#deps;
    const { journal, prevSeq } = store;
    if (store.mustRenew) return true;
    if (journal === undefined || journal.end <= journalLimitBytes) return false;
    // The one before the old journal goes: nobody may need it any more.
    return seq >= journal.base && prevSeq !== undefined && prevSeq >= journal.base;
  }
}

/** It could not be read again. */
const tooLong = (file: string): GatewayError =>
  new GatewayError("REGISTRY_IO", `cannot write ${file}: it would be longer than ${MAX_SNAPSHOT_BYTES} bytes`);
