import { GatewayError } from "@cortex-os/mcp-core";
import { registryIoError } from "../io-error.js";
import { OpenFile } from "../open-file.js";
import { MAX_JOURNAL_BYTES, type RegistryFiles } from "../registry-files.js";
import { encodeChange, encodeHeader, readAdded, type Change, type Journal, type JournalHeader } from "./journal.js";
import type { FileStat } from "../fs/registry-fs.js";

/** What others did to a journal: nothing, added to it, or something that only reading everything again can tell. */
export type Added = Pick<Journal, "changes" | "snapshotSeq"> | "nothing" | "unclear";

const PRIVATE = 0o077;
/** The journal that is written to: `servers.json.log`, open. All but {@link sync} is for sections under the lock. */
export class JournalFile {
  readonly epoch: number;
  /** The sequence number it builds on. */
  readonly base: number;
  readonly #files: RegistryFiles;
  readonly #file: OpenFile;
  #end: number;
  /** Where the last change ends: marks need not be durable. */
  #changesEnd: number;
  #synced = 0;

  private constructor(
    files: RegistryFiles,
    file: OpenFile,
    header: Pick<JournalHeader, "epoch" | "base">,
    end: number,
  ) {
    this.#files = files;
    this.#file = file;
    this.epoch = header.epoch;
    this.base = header.base;
    this.#end = end;
    this.#changesEnd = end;
  }

  /**
   * Opens the one that is there and was read. What is in it after its last believable frame is cut off.
   *
   * @param read how many bytes there were: more than these are somebody else's
   */
  static open(
    files: RegistryFiles,
    header: Pick<JournalHeader, "epoch" | "base">,
    { end, read }: { readonly end: number; readonly read: number },
  ): JournalFile {
    let file: OpenFile | undefined;
    try {
      file = new OpenFile(files.fs, files.fs.open(files.log, "append"));
      const { size, mode } = files.fs.statOf(file.fd);
      if ((mode & PRIVATE) !== 0) files.fs.restrict(file.fd);
      if (size !== read) throw takenError(files.log);
      if (size > end) files.fs.truncate(file.fd, end);
      return new JournalFile(files, file, header, end);
    } catch (error) {
      file?.release();
      throw registryIoError("open", files.log, error);
    }
  }

  /**
   * Puts a new one in the place of what is there, with changes that it takes over.
   *
   * @param isAsKnown whether what is there is still what this one knows of it
   */
  static create(
    files: RegistryFiles,
    header: JournalHeader,
    {
      atMs,
      changes,
      isAsKnown,
    }: { readonly atMs: number; readonly changes: readonly Change[]; readonly isAsKnown: () => boolean },
  ): JournalFile {
    const frames = changes.map((change) => encodeChange(change, header.epoch, 0));
    const bytes = Buffer.concat([encodeHeader(header, atMs), ...frames]);
    const temporary = files.temporary(files.log);
    let file: OpenFile | undefined;
    try {
      file = new OpenFile(files.fs, files.fs.open(temporary, "create"));
      files.append(file.fd, bytes);
      // It takes the place of no journal that this one does not know.
      if (files.statIfThere(files.log) === undefined) files.nameNew(temporary, files.log);
      else if (isAsKnown()) files.fs.rename(temporary, files.log);
      else throw takenError(files.log);
      return new JournalFile(files, file, header, bytes.length);
    } catch (error) {
      file?.release();
      files.discard(temporary);
      throw registryIoError("create", files.log, error);
    }
  }

  /** Its length in bytes, as far as it is known here. */
  get end(): number {
    return this.#end;
  }

  /** Whether it has changes that this instance has not seen made durable. */
  get isUnsynced(): boolean {
    return this.#changesEnd > this.#synced;
  }

  /** Up to where this instance has made it durable. */
  get synced(): number {
    return this.#synced;
  }

  /** Whether that is the file at its path, as it looks now. */
  isAt(stat: FileStat | undefined): boolean {
    return stat?.identity === this.#file.identity;
  }

  /** How the file itself looks, also when it has no name any more. */
  get stat(): FileStat {
    return this.#files.fs.statOf(this.#file.fd);
  }

  /** What others have added since it was last looked at. `stat` is how the file at its path looks. */
  takeAdded(stat: FileStat | undefined): Added {
    if (stat === undefined || !this.isAt(stat) || stat.size < this.#end) return "unclear";
    if (stat.size === this.#end) return "nothing";
    const added = readAdded(this.read(this.#end, stat.size), this.epoch);
    if (added === undefined) return "unclear";
    this.#end = stat.size;
    if (added.changes.length > 0) this.#changesEnd = this.#end;
    return added;
  }

  /** Its bytes from `start` to before `end`. */
  read(start: number, end: number): Buffer {
    try {
      return this.#files.readFrom(this.#file.fd, start, end - start);
    } catch (error) {
      throw registryIoError("read", this.#files.log, error);
    }
  }

  /**
   * Adds whole frames of changes. In the page cache when it returns: they survive the process, not yet the machine.
   *
   * @throws GatewayError `REGISTRY_IO`; nothing is added then
   */
  append(frames: Uint8Array): void {
    this.#add(frames);
    this.#changesEnd = this.#end;
  }

  /** Adds a mark, as {@link append} does a change. */
  mark(frame: Uint8Array): void {
    this.#add(frame);
  }

  #add(frames: Uint8Array): void {
    try {
      if (this.#end + frames.length > MAX_JOURNAL_BYTES)
        throw new Error("it is full, because no snapshot could be written");
      this.#files.append(this.#file.fd, frames);
      this.#end += frames.length;
    } catch (error) {
      this.#cutBack(frames);
      throw registryIoError("write", this.#files.log, error);
    }
  }

  /** Makes everything durable that was in it at the call. Rejects with the system's error; the file is not to be trusted after that. */
  async sync(): Promise<void> {
    const end = this.#end;
    await this.#file.during(async (fd) => this.#files.fs.datasync(fd));
    this.#synced = Math.max(this.#synced, end);
  }

  /** Lets go of the file. Idempotent. */
  release(): void {
    this.#file.release();
  }

  /** Takes half-written frames away, unless what is there is not their beginning: it is somebody else's then. */
  #cutBack(frames: Uint8Array): void {
    try {
      const written = this.read(this.#end, this.stat.size);
      if (written.equals(frames.subarray(0, written.length))) this.#files.fs.truncate(this.#file.fd, this.#end);
    } catch {
      // Half a frame stays: whoever comes next sees bytes it does not know, reads everything again and cuts them off.
    }
  }
}

/** Only one that stood still in its section, until it counted as gone and was robbed of the lock, meets this. */
const takenError = (log: string): GatewayError =>
  new GatewayError("REGISTRY_IO", `cannot write ${log}: another process has changed it at the same time: try again`);
