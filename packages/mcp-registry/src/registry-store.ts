import { randomBytes } from "node:crypto";
import type { Clock } from "@cortex-os/mcp-core";
import { EMPTY_REGISTRY } from "./document/registry-file.js";
import { assertRoomFor } from "./document/content-limit.js";
import { RegistryTable } from "./document/registry-table.js";
import type { Generation } from "./document/seal.js";
import { lookOf, UNKNOWN_LOOK } from "./file-look.js";
import type { FileStat } from "./fs/registry-fs.js";
import { readJournal, type Change } from "./journal/journal.js";
import { JournalFile } from "./journal/journal-file.js";
import { mendedJournal } from "./journal/mended-journal.js";
import { follow, recordsOf, type ChangeNote } from "./journal/records.js";
import type { Operation } from "./journal/operation.js";
import { keepCorrupt } from "./kept-copies.js";
import type { Finding } from "./recovery/finding.js";
import { putBack } from "./put-back.js";
import { recoveredWith, SNAPSHOT_GONE } from "./recovery/memory.js";
import { readFiles, type RegistryReading } from "./recovery/read-files.js";
import type { Recovered } from "./recovery/recover.js";
import type { RegistryFiles } from "./registry-files.js";
import { viewOf, type SnapshotView } from "./snapshot-view.js";

/** What a {@link RegistryStore} works with. */
export interface RegistryStoreDeps {
  readonly files: RegistryFiles;
  readonly clock: Clock;
  /** Told when the content changed, by whatever hand, or what is wrong with the files. Must not throw. */
  readonly onChange: () => void;
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
  #prevSeq: () => number | undefined = () => undefined;
  #findings: readonly Finding[] = [];
  #mustRenew = false;
  #basis: Recovered["basis"] = "nothing";
  /** Whether there is anything in memory yet. */
  #isRead = false;

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

  /** Whether there is a snapshot that cannot be read, and nothing that tells what was in it. */
  get isUnreadable(): boolean {
    return this.#snapshot.kind === "damaged" && this.#basis === "nothing";
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
    return this.#prevSeq();
  }

  /** Whether something has to be written: the snapshot is older than the table, or the journal is not to be relied on. */
  get isDirty(): boolean {
    return this.#snapshot.seq !== this.#seq || this.#mustRenew;
  }

  /** Whether the journal is not to be relied on: everything has to be written to new files. */
  get mustRenew(): boolean {
    return this.#mustRenew;
  }

  /** After damage, or a sync that failed: what the disk holds of it is unknown, and another sync of the same file would not tell. */
  distrustJournal(): void {
    this.#mustRenew = true;
    this.#deps.onChange();
  }

  /** Whether the files have been changed since this instance last looked. Needs no lock. */
  get isBehind(): boolean {
    const { files } = this.#deps;
    return lookOf(files.statIfThere(files.snapshot)) !== this.#snapshot.look || !this.#isJournalAsKnown;
  }

  get #isJournalAsKnown(): boolean {
    const stat = this.#deps.files.statIfThere(this.#deps.files.log);
    if (this.#journal === undefined) return lookOf(stat) === this.#closedJournal;
    return this.#journal.isAt(stat) && stat?.size === this.#journal.end;
  }

  /** Whether the next section has to read everything again: what is in memory is no ground to go on from. */
  get isUnclear(): boolean {
    return this.#snapshot.look === UNKNOWN_LOOK;
  }

  /**
   * Reads everything, without the lock: for one that may not write.
   *
   * @throws GatewayError `REGISTRY_IO` when a file cannot be read or is not to be trusted; nothing has changed then
   */
  read(): void {
    const reading = readFiles(this.#deps.files);
    if (this.#journal !== undefined && reading.log === undefined) return; // Taken away: what it held is here.
    this.#adopt(recoveredWith(this.#isRead ? this : undefined, this.#deps.files, reading), reading);
    // The next section reads it again: the journal can be gone on with only by one that has looked at it under the lock.
    this.#snapshot = { ...this.#snapshot, look: UNKNOWN_LOOK };
  }

  /** In a section: reads everything for the first time, mends what can be and sweeps up. */
  open(): void {
    this.#readAndMend();
    if (this.#snapshot.kind === "damaged") this.keepDamaged();
    this.#deps.files.sweepTemporaries();
  }

  /** In a section: takes in what others did. What was taken away while this instance has it comes back with the next flush. */
  catchUp(): void {
    const { files } = this.#deps;
    if (this.#journal !== undefined && files.statIfThere(files.log) === undefined) this.#journalGone(this.#journal);
    const snapshot = files.statIfThere(files.snapshot);
    if (lookOf(snapshot) !== this.#snapshot.look) {
      if (snapshot !== undefined || this.isUnclear) return this.#readAndMend();
      this.#snapshotGone();
    }
    const stat = files.statIfThere(files.log);
    if (this.#journal === undefined) return lookOf(stat) === this.#closedJournal ? undefined : this.#readAndMend();
    const added = this.#journal.takeAdded(stat);
    if (added === "nothing") return undefined;
    if (added === "unclear" || !follow(added.changes, this.#seq)) return this.#readAndMend();
    return this.#take(added.changes);
  }

  /**
   * In a section: makes the changes that `plan` asks for, given the content as it is then. They survive this process when it returns.
   *
   * @throws GatewayError `REGISTRY_IO` when they cannot be written, `USER_INPUT` when there is no room for them; nothing has changed then
   */
  change(plan: (table: RegistryTable) => readonly Operation[], note: ChangeNote): readonly Change[] {
    this.catchUp();
    const operations = plan(this.#table);
    if (operations.length === 0) return [];
    assertRoomFor(this.#table, operations);
    return this.#record(operations, note);
  }

  /** In a section: adds a mark to the journal. */
  mark(bytesOf: (journal: JournalFile) => Uint8Array): void {
    this.catchUp();
    if (this.#journal !== undefined) this.#journal.mark(bytesOf(this.#journal));
  }

  /** In a section, after a snapshot has been put in its place. */
  snapshotWritten(seq: number, stat: FileStat | undefined, prevSeq: number | undefined): void {
    this.#snapshot = { look: lookOf(stat), kind: "sealed", seq };
    this.#prevSeq = () => prevSeq;
    this.#findings = [];
  }

  /** In a section: puts a new journal in the place of the old one; changes after `snapshotSeq`, which is durable, go over into it. */
  startJournal(snapshotSeq: number): void {
    const old = this.#journal;
    const changes =
      old === undefined ? [] : readJournal(old.read(0, old.end)).changes.filter(({ seq }) => seq > snapshotSeq);
    this.#create(snapshotSeq, changes, this.#isOnFile && snapshotSeq === 0);
    old?.release();
    this.#mustRenew = false;
  }

  /** Lets go of the files; the content stays readable. */
  close(): void {
    this.#journal?.release();
    this.#journal = undefined;
    this.#closedJournal = UNKNOWN_LOOK;
    this.#snapshot = { ...this.#snapshot, look: UNKNOWN_LOOK };
  }

  #readAndMend(): void {
    const reading = readFiles(this.#deps.files);
    const state = recoveredWith(this.#isRead ? this : undefined, this.#deps.files, reading);
    this.#adopt(state, reading);
    try {
      this.#mend(state, reading);
    } catch (error) {
      // What was to be mended is found again by the next section.
      this.#snapshot = { ...this.#snapshot, look: UNKNOWN_LOOK };
      throw error;
    }
  }

  #adopt(state: Recovered, { snapshot, log }: RegistryReading): void {
    this.#isRead = true;
    this.#journal?.release();
    this.#journal = undefined;
    this.#closedJournal = lookOf(log);
    this.#table = state.table;
    this.#id = state.id ?? this.#id;
    [this.#epoch, this.#seq] = [state.epoch, state.seq];
    this.#isOnFile = state.isOnFile;
    this.#snapshot = viewOf(state, snapshot);
    this.#basis = state.basis;
    this.#prevSeq = state.prevSeq;
    this.#findings = state.findings;
    this.#deps.onChange();
  }

  #mend({ log, edit }: Recovered, { bytes }: RegistryReading): void {
    const { files, clock } = this.#deps;
    if (log !== undefined && bytes.log !== undefined) this.#journal = mendedJournal(files, log, bytes.log, clock.now());
    if (log?.state === "corrupt") this.distrustJournal();
    if (edit.length > 0) this.#record(edit, { by: "hand" });
  }

  /** In a section: gives a damaged snapshot a name under which it stays. */
  keepDamaged(): void {
    const { files, clock } = this.#deps;
    const text = `the damaged file is kept beside it as ${keepCorrupt(files, files.snapshot, clock.now(), this.isUnreadable)}`;
    this.#findings = [...this.#findings.filter((finding) => finding.text !== text), { level: "warning", text }];
  }

  #snapshotGone(now: SnapshotView = { look: lookOf(undefined), kind: "absent", seq: undefined }): void {
    this.#snapshot = now;
    this.#findings = [SNAPSHOT_GONE];
    this.#deps.onChange();
  }

  /** What was in the journal is in memory, or still in the file that has no name any more. */
  #journalGone(journal: JournalFile): void {
    const { files } = this.#deps;
    const rest = journal.takeAdded(journal.stat);
    if (typeof rest === "object") this.#take(rest.changes);
    const stat = files.statIfThere(files.snapshot);
    const isThere = this.#snapshot.kind === "sealed" && lookOf(stat) === this.#snapshot.look;
    if (stat === undefined) this.#snapshotGone(putBack(files, this));
    this.startJournal(isThere ? (this.#snapshot.seq ?? journal.base) : journal.base);
    // Nothing but memory has what the journal builds on.
    if (!isThere) this.distrustJournal();
  }

  #record(operations: readonly Operation[], note: ChangeNote): readonly Change[] {
    const { clock } = this.#deps;
    const journal = this.#journal ?? this.#create(this.#seq, [], this.#isOnFile);
    const place = { seq: this.#seq + 1, atMs: clock.now(), epoch: journal.epoch, durable: journal.synced };
    const { changes, frames } = recordsOf(operations, note, place);
    journal.append(frames);
    this.#take(changes);
    return changes;
  }

  #take(changes: readonly Change[]): void {
    this.#isRead = true;
    for (const { seq, operation } of changes) {
      this.#table.apply(operation);
      this.#seq = seq;
    }
    if (changes.length > 0) this.#deps.onChange();
  }

  #create(base: number, changes: readonly Change[], onFile: boolean): JournalFile {
    const { files, clock } = this.#deps;
    const header = { id: this.#id, epoch: this.generation.epoch + 1, base, onFile };
    const isAsKnown = (): boolean => this.#isJournalAsKnown;
    this.#journal = JournalFile.create(files, header, { atMs: clock.now(), changes, isAsKnown });
    files.entries.distrust();
    return this.#journal;
  }
}
