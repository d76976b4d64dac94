import type { Clock, GatewayError } from "@cortex-os/mcp-core";
import type { RegistryTable } from "./document/registry-table.js";
import type { RegistryFs } from "./fs/registry-fs.js";
import { readPast, type Past, type WayBack } from "./history/past.js";
import { errnoOf, registryIoError } from "./io-error.js";
import type { JournalFile } from "./journal/journal-file.js";
import { encodeDurableMark, type Change } from "./journal/journal.js";
import type { Operation } from "./journal/operation.js";
import type { ChangeNote } from "./journal/records.js";
import type { LockOptions } from "./lock-options.js";
import { addMark } from "./mark.js";
import { RegistryFiles } from "./registry-files.js";
import { RegistryStore } from "./registry-store.js";
import { SectionLock } from "./section-lock.js";
import { SharedPass } from "./shared-pass.js";
import { SnapshotPass } from "./snapshot-pass.js";

/** What a {@link RegistryDisk} is made of. */
export interface RegistryDiskOptions {
  readonly registryPath: string;
  readonly fs: RegistryFs;
  readonly clock: Clock;
  readonly lock: LockOptions;
  readonly journalLimitBytes: number;
  /** Told when the content changed, or what is wrong with it. Must not throw. */
  readonly onChange: () => void;
}

/** A section takes well under a millisecond: who holds the lock for so long, and cannot be seen from here, is gone. In milliseconds. */
const UNJUDGED_STALE_MS = 30_000;

/** A {@link RegistryStore} with its lock, and with what waits for the disk. */
export class RegistryDisk {
  readonly store: RegistryStore;
  readonly #files: RegistryFiles;
  readonly #lock: SectionLock;
  readonly #commits = new SharedPass(async () => this.#commit());
  readonly #snapshots: SnapshotPass;
  readonly #onChange: () => void;
  #isClosed = false;
  /** Why the lock could not be had, and why something could not be written: each goes when its next try succeeds. */
  readonly #failures: { reading?: string | undefined; writing?: string | undefined } = {};

  constructor({ registryPath, fs, clock, lock, journalLimitBytes, onChange }: RegistryDiskOptions) {
    const files = new RegistryFiles(registryPath, fs, process.geteuid?.());
    this.#files = files;
    this.#onChange = onChange;
    this.#lock = new SectionLock(files.lock, { unjudgedStaleMs: UNJUDGED_STALE_MS, ...lock, fs });
    this.store = new RegistryStore({ files, clock, onChange });
    const [store, commits] = [this.store, this.#commits];
    this.#snapshots = new SnapshotPass({ ...{ store, files, commits, journalLimitBytes }, lock: this.#lock });
  }

  /** Why the disk refused the last access; none when it did not. */
  get failure(): string | undefined {
    return this.#failures.writing ?? this.#failures.reading;
  }

  /**
   * Reads everything, and mends what can be. Where nothing may be written it is read all the same.
   *
   * @throws GatewayError `REGISTRY_IO`
   */
  async open(): Promise<void> {
    if (!this.#files.isThere) return;
    try {
      await this.#underLockOrWithout(() => {
        this.store.open();
      });
    } catch (error) {
      this.store.close();
      throw error;
    }
  }

  /**
   * Takes in what others did.
   *
   * @throws GatewayError `REGISTRY_IO`
   */
  async refresh(): Promise<void> {
    if (!this.store.isBehind && this.#failures.reading === undefined) return;
    await this.#underLockOrWithout(() => {
      this.store.catchUp();
    });
  }

  /**
   * Makes the change that `plan` asks for, given the content as it is under the lock; none when it asks for none.
   *
   * @throws GatewayError `REGISTRY_IO`, `USER_INPUT`; nothing has changed then
   */
  change(plan: (table: RegistryTable) => Operation | undefined, note: ChangeNote): readonly Change[] {
    this.#files.ensureFolder();
    return this.#inSection(() =>
      this.store.change((table) => {
        const operation = plan(table);
        return operation === undefined ? [] : [operation];
      }, note),
    );
  }

  /** Goes back as `wayOf` says, given the content and the past as they are under the lock; returns what was taken back. */
  goBack(by: "undo" | "restore", wayOf: (table: RegistryTable, past: Past) => WayBack): readonly Change[] {
    if (!this.#files.isThere) return [];
    return this.#inSection(() => {
      this.store.catchUp();
      const { operations, undone } = wayOf(this.store.table, this.readPast());
      this.store.change(() => operations, { by, ...(by === "undo" ? { undoes: groupsOf(undone) } : {}) });
      return undone;
    });
  }

  /** What the journals tell about the past. */
  readPast(): Past {
    return readPast(this.#files);
  }

  /**
   * Makes the journal durable; all that ask while the disk is at work share the next sync.
   *
   * @returns whether it is; if not, only a snapshot can make good for it
   */
  async commit(): Promise<boolean> {
    try {
      return await this.#commits.run();
    } catch {
      return false;
    }
  }

  /**
   * Writes the snapshot if it has to be.
   *
   * @returns whether it was
   * @throws GatewayError `REGISTRY_IO`
   */
  async writeSnapshot(): Promise<boolean> {
    const wasWell = this.#isWell;
    try {
      const wrote = await this.#snapshots.write();
      this.#failures.writing = undefined;
      if (!wasWell && this.#isWell) this.#onChange();
      return wrote;
    } catch (error) {
      throw this.#failed("writing", error);
    }
  }

  /** Lets go of the files, once the disk is not at work on them. What was not written yet is read again by who wants it written. */
  close(): Promise<void> {
    return this.#commits.between(async () => {
      this.#isClosed = !this.store.isDirty;
      this.store.close();
    });
  }

  #inSection(section: () => readonly Change[]): readonly Change[] {
    try {
      return this.#lock.runSync<readonly Change[]>(section);
    } catch (error) {
      // Of taking in what others did, too.
      throw errnoOf(error) === undefined ? error : registryIoError("write", this.#files.log, error);
    }
  }

  async #underLockOrWithout(section: () => void): Promise<void> {
    try {
      // Where there is no folder, it was taken away: one that never was is not looked into.
      this.#files.ensureFolder();
      await this.#lock.run(section);
      const wasRefused = this.#failures.reading !== undefined;
      this.#failures.reading = undefined;
      if (wasRefused) this.#onChange();
    } catch (error) {
      // A read-only disk, or somebody who keeps the lock: what is there can still be served.
      this.store.read();
      this.#failed("reading", error);
    }
  }

  async #commit(): Promise<boolean> {
    while (!this.store.mustRenew) {
      const { journal } = this.store;
      const isUnsynced = journal?.isUnsynced === true;
      try {
        if (isUnsynced) await journal.sync();
        await this.#files.entries.sync();
      } catch (error) {
        this.store.distrustJournal();
        throw this.#failed("writing", registryIoError("make durable", this.#files.log, error));
      }
      if (this.#isInPlace(journal)) {
        if (isUnsynced) await addMark(this.#lock, this.store, ({ epoch, synced }) => encodeDurableMark(epoch, synced));
        return true;
      }
      // Another process has begun a new journal meanwhile: what is in no snapshot went over into that.
      this.#files.ensureFolder();
      await this.#lock.run(() => {
        this.store.catchUp();
      });
    }
    return false;
  }

  /** Whether what was synced is all there is: the journal at its path, or none where none is written to. */
  #isInPlace(journal: JournalFile | undefined): boolean {
    if (journal === undefined) return this.#isClosed || !this.store.isUnclear;
    // One that was let go of meanwhile may have left its inode to another file.
    return journal === this.store.journal && journal.isAt(this.#files.statIfThere(this.#files.log));
  }

  get #isWell(): boolean {
    return this.failure === undefined && this.store.findings.length === 0 && !this.store.mustRenew;
  }

  #failed(what: "reading" | "writing", error: unknown): GatewayError {
    const failure = registryIoError("write", this.#files.snapshot, error);
    const isNew = this.#failures[what] !== failure.message;
    this.#failures[what] = failure.message;
    if (isNew) this.#onChange();
    return failure;
  }
}

const groupsOf = (changes: readonly Change[]): readonly number[] => [...new Set(changes.map(({ group }) => group))];
