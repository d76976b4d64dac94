import { randomBytes } from "node:crypto";
import type { Clock } from "@cortex-os/mcp-core";
import { EMPTY_REGISTRY } from "./document/registry-file.js";
import { assertRoomFor } from "./document/content-limit.js";
import { RegistryTable } from "./document/registry-table.js";
import type { Generation } from "./document/seal.js";
import { lookOf, UNKNOWN_LOOK } from "./file-look.js";
import type { FileStat } from "./fs/registry-fs.js";
import { baseOfJournal, readJournal, type Change } from "./journal/journal.js";
import { JournalFile } from "./journal/journal-file.js";
import { follow, recordsOf, type ChangeNote } from "./journal/records.js";
import type { Operation } from "./journal/operation.js";
import { keepCorrupt, keepTorn } from "./kept-copies.js";
import type { Finding } from "./recovery/finding.js";
import { readFiles, recovered, type RegistryReading } from "./recovery/read-files.js";
import type { Recovered } from "./recovery/recover.js";
import type { RegistryFiles } from "./registry-files.js";

/** What a {@link RegistryStore} works with. */
export interface RegistryStoreDeps {
  readonly files: RegistryFiles;
  readonly clock: Clock;
  /** Told when the content changed, by whatever hand, or what is wrong with the files. Must not throw. */
  readonly onChange: () => void;
}

/** What is known of `servers.json` as it stands. */
export interface SnapshotView {
  readonly look: string;
  readonly kind: Recovered["snapshot"]["kind"];
  /** Which change it goes up to; none: it has to be written. */
  readonly seq: number | undefined;
}

/**
 * The registry in memory and what is known of its files: a table, the journal that every change goes into first, and the snapshot.
 *
 * Its methods are synchronous. Those that say so must be called in a section under the lock; each begins by taking in what others did, so
 * that any number of instances and processes may write, one on top of the other.
 */
export class RegistryStore {
  readonly #deps: RegistryStoreDeps;
  #table = new RegistryTable(EMPTY_REGISTRY);
  #id = randomBytes(8).toString("hex");
  #epoch = 0;
  #seq = 0;
  #isOnFile = false;
  #journal: JournalFile | undefined;
  /** How a journal looks that is not written to: this instance only reads, or it has no beginning. */
  #closedJournal = "";
  #snapshot: SnapshotView = { look: "", kind: "absent", seq: 0 };
  #prevSeq: number | undefined;
  #findings: readonly Finding[] = [];
  #mustRenew = false;

  constructor(deps: RegistryStoreDeps) {
    this.#deps = deps;
  }

  get table(): RegistryTable {
    return this.#table;
  }

  /** The state of the table. */
  get generation(): Generation {
    return { id: this.#id, epoch: this.#journal?.epoch ?? this.#epoch, seq: this.#seq };
  }

  /** What was found about the files when they were last read. */
  get findings(): readonly Finding[] {
    return this.#findings;
  }

  get journal(): JournalFile | undefined {
    return this.#journal;
  }

  /** What is at the path of the snapshot. */
  get snapshot(): SnapshotView {
    return this.#snapshot;
  }

  /** Whether the journal builds on a `servers.json` that was not ours. */
  get isOnFile(): boolean {
    return this.#isOnFile;
  }

  /** Up to which change the older snapshot goes; none when there is no usable one. */
  get prevSeq(): number | undefined {
    return this.#prevSeq;
  }

  /** Whether something has to be written: the snapshot is older than the table, or the journal is not to be relied on. */
  get isDirty(): boolean {
    return this.#snapshot.seq !== this.#seq || this.#mustRenew;
  }

  /** Whether the journal is not to be relied on: everything has to be written to new files. */
  get mustRenew(): boolean {
    return this.#mustRenew;
  }

  /** After a sync that failed: what the disk holds of the journal is unknown, and another sync of the same file would not tell. */
  distrustJournal(): void {
    this.#mustRenew = true;
  }

  /** Everything is in new files. */
  trustJournal(): void {
    this.#mustRenew = false;
  }

  /** Whether the files have been changed since this instance last looked. Needs no lock. */
  get isBehind(): boolean {
    const { files } = this.#deps;
    if (lookOf(files.statIfThere(files.snapshot)) !== this.#snapshot.look) return true;
    const stat = files.statIfThere(files.log);
    if (this.#journal === undefined) return lookOf(stat) !== this.#closedJournal;
    return !this.#journal.isAt(stat) || stat?.size !== this.#journal.end;
  }

  /**
   * Reads everything, without the lock: for one that may not write.
   *
   * @throws GatewayError `REGISTRY_IO` when a file cannot be read or is not to be trusted; nothing has changed then
   */
  read(): void {
    const reading = readFiles(this.#deps.files);
    this.#adopt(recovered(this.#deps.files, reading), reading);
    // The next section reads it again: the journal can be gone on with only by one that has looked at it under the lock.
    this.#snapshot = { ...this.#snapshot, look: UNKNOWN_LOOK };
  }

  /** In a section: reads everything for the first time, mends what can be and sweeps up. */
  open(): void {
    this.#readAndMend();
    if (this.#snapshot.kind === "damaged") this.keepDamaged();
    this.#deps.files.sweepTemporaries();
  }

  #readAndMend(): void {
    const { files } = this.#deps;
    const reading = readFiles(files);
    const state = recovered(files, reading);
    this.#adopt(state, reading);
    try {
      this.#mend(state, reading);
    } catch (error) {
      // What was to be mended is found again by the next section.
      this.#snapshot = { ...this.#snapshot, look: UNKNOWN_LOOK };
      throw error;
    }
  }

  /** In a section: takes in what others did. What was taken away while this instance has it comes back with the next flush. */
  catchUp(): void {
    const { files } = this.#deps;
    const snapshot = files.statIfThere(files.snapshot);
    if (lookOf(snapshot) !== this.#snapshot.look) {
      if (snapshot !== undefined || this.#snapshot.look === UNKNOWN_LOOK) return this.#readAgain();
      this.#snapshotGone();
    }
    const stat = files.statIfThere(files.log);
    if (this.#journal === undefined) return lookOf(stat) === this.#closedJournal ? undefined : this.#readAgain();
    if (stat === undefined) return this.startJournal(this.#snapshot.seq ?? this.#journal.base);
    const added = this.#journal.takeAdded(stat);
    if (added === "nothing") return undefined;
    if (added === "unclear" || !follow(added.changes, this.#seq)) return this.#readAgain();
    this.#take(added.changes);
    return undefined;
  }

  /**
   * In a section: makes the changes that `plan` asks for, given the content as it is then. They survive this process when it returns.
   *
   * @throws GatewayError `REGISTRY_IO` when they cannot be written, `USER_INPUT` when there is no room for them; nothing has changed then
   */
  change(plan: (table: RegistryTable) => readonly Operation[], note: ChangeNote): readonly Change[] {
    this.catchUp();
    const operations = plan(this.#table);
    return operations.length === 0 ? [] : this.#record(operations, note);
  }

  /** In a section: adds a mark to the journal. It is a help to recovery only: that it cannot be written is no failure. */
  mark(bytesOf: (journal: JournalFile) => Uint8Array): void {
    try {
      this.catchUp();
      if (this.#journal !== undefined) this.#journal.mark(bytesOf(this.#journal));
    } catch {
      // Without the mark an end that is damaged later counts as torn.
    }
  }

  /** In a section, after a snapshot has been put in its place. */
  snapshotWritten(seq: number, stat: FileStat | undefined, prevSeq: number | undefined): void {
    this.#snapshot = { look: lookOf(stat), kind: "sealed", seq };
    this.#prevSeq = prevSeq;
    this.#findings = [];
  }

  /** In a section: puts a new journal in the place of the old one; changes after `snapshotSeq` go over into it. */
  startJournal(snapshotSeq: number): void {
    const old = this.#journal;
    const changes =
      old === undefined ? [] : readJournal(old.read(0, old.end)).changes.filter(({ seq }) => seq > snapshotSeq);
    this.#create(snapshotSeq, changes, this.#isOnFile && snapshotSeq === 0);
    old?.release();
  }

  /** Lets go of the files; the content stays readable. */
  close(): void {
    this.#journal?.release();
    this.#journal = undefined;
    this.#closedJournal = UNKNOWN_LOOK;
  }

  #adopt(state: Recovered, { snapshot, log }: RegistryReading): void {
    this.#journal?.release();
    this.#journal = undefined;
    this.#closedJournal = lookOf(log);
    this.#table = state.table;
    this.#id = state.id ?? this.#id;
    this.#epoch = state.epoch;
    this.#seq = state.seq;
    this.#isOnFile = state.isOnFile;
    this.#snapshot = { look: lookOf(snapshot), kind: state.snapshot.kind, seq: state.snapshotSeq };
    this.#prevSeq = state.prevSeq;
    this.#findings = state.findings;
    this.#deps.onChange();
  }

  #mend({ log, edit }: Recovered, { bytes }: RegistryReading): void {
    const { files, clock } = this.#deps;
    if (log !== undefined && bytes.log !== undefined) {
      if (log.state === "torn" && log.end < bytes.log.length) keepTorn(files, bytes.log.subarray(log.end), clock.now());
      if (log.state === "corrupt") {
        keepCorrupt(files, files.log, clock.now());
        this.#mustRenew = true;
      }
      const base = baseOfJournal(log);
      if (base !== undefined) this.#journal = JournalFile.open(files, { epoch: log.epoch, base }, log.end);
      if (!log.isMarked) files.distrustEntries();
    }
    if (edit.length > 0) this.#record(edit, { by: "hand" });
  }

  /** In a section: gives a damaged snapshot a name under which it stays. */
  keepDamaged(): void {
    const { files, clock } = this.#deps;
    const name = keepCorrupt(files, files.snapshot, clock.now());
    const text = `the damaged file is kept beside it as ${name}`;
    this.#findings = [...this.#findings.filter((finding) => finding.text !== text), { level: "warning", text }];
  }

  /** Somebody is perhaps in the middle of writing a snapshot that is damaged now: it is left to them until there is something to write. */
  #readAgain(): void {
    const isAllWritten = !this.isDirty;
    this.#readAndMend();
    if (this.#snapshot.kind === "damaged" && isAllWritten) this.#snapshot = { ...this.#snapshot, seq: this.#seq };
  }

  #snapshotGone(): void {
    this.#snapshot = { look: lookOf(undefined), kind: "absent", seq: undefined };
    const text = "servers.json is gone: it is written anew. To remove servers use cortex-mcp remove";
    this.#findings = [{ level: "warning", text }];
    this.#deps.onChange();
  }

  #record(operations: readonly Operation[], note: ChangeNote): readonly Change[] {
    const { clock } = this.#deps;
    assertRoomFor(this.#table, operations);
    const journal = this.#journal ?? this.#create(this.#seq, [], this.#isOnFile);
    const place = { seq: this.#seq + 1, atMs: clock.now(), epoch: journal.epoch, durable: journal.synced };
    const { changes, frames } = recordsOf(operations, note, place);
    journal.append(frames);
    this.#take(changes);
    return changes;
  }

  #take(changes: readonly Change[]): void {
    for (const { seq, operation } of changes) {
      this.#table.apply(operation);
      this.#seq = seq;
    }
    if (changes.length > 0) this.#deps.onChange();
  }

  #create(base: number, changes: readonly Change[], onFile: boolean): JournalFile {
    const { files, clock } = this.#deps;
    const [epoch, temporary] = [this.generation.epoch + 1, files.temporary(files.log)];
    this.#journal = JournalFile.create(
      files,
      { id: this.#id, epoch, base, onFile },
      { atMs: clock.now(), changes, temporary },
    );
    files.distrustEntries();
    return this.#journal;
  }
}
