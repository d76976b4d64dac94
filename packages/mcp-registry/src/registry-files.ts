import { randomBytes } from "node:crypto";
import path from "node:path";
import { FolderEntries } from "./folder-entries.js";
import type { FileStat, RegistryFs } from "./fs/registry-fs.js";
import { errnoOf, registryIoError } from "./io-error.js";
import { isRunning } from "./process-identity.js";
import { assertTrusted, isOpenToAll, refusal } from "./trust.js";

/** The most bytes that a `servers.json` may have. */
export const MAX_SNAPSHOT_BYTES = 64 * 1024 * 1024;
/** The most bytes that a journal may have: it is closed long before, unless no snapshot can be written. */
export const MAX_JOURNAL_BYTES = 64 * 1024 * 1024;

const READABLE_BY_OTHERS = 0o077;
const TEMPORARY_BYTES = 6;
const TEMPORARY = /\.tmp-(\d+)-[0-9a-f]+$/;

/** The files of one registry: their names, and the ways in which they are read and written. Every method throws `REGISTRY_IO`. */
export class RegistryFiles {
  readonly fs: RegistryFs;
  readonly folder: string;
  readonly snapshot: string;
  readonly prev: string;
  readonly log: string;
  readonly log1: string;
  readonly lock: string;
  /** The names of the files, and whether they are durable. */
  readonly entries: FolderEntries;
  readonly #uid: number | undefined;

  /** @param uid who may own the files, besides root; `undefined` where there are no owners */
  constructor(registryPath: string, fs: RegistryFs, uid: number | undefined) {
    this.fs = fs;
    this.snapshot = path.resolve(registryPath);
    this.folder = path.dirname(this.snapshot);
    this.prev = `${this.snapshot}.prev`;
    this.log = `${this.snapshot}.log`;
    this.log1 = `${this.snapshot}.log.1`;
    this.lock = `${this.snapshot}.lock`;
    this.#uid = uid;
    this.entries = new FolderEntries(this.folder, fs);
  }

  /**
   * The bytes of one of the files and what it looks like, or `undefined` when there is none.
   *
   * A file that somebody else could have put there is refused, because what it says is started as a process: a symbolic link, one of another
   * owner, one that everybody may write to.
   */
  read(file: string, maxBytes: number): { readonly bytes: Buffer; readonly stat: FileStat } | undefined {
    const found = this.statIfThere(file);
    if (found === undefined) return undefined;
    // First by its name: to open a pipe, or what a link leads to, has effects.
    assertTrusted(file, found, this.#uid);
    try {
      const fd = this.fs.open(file, "read");
      try {
        // Another may have taken its place meanwhile.
        const stat = this.fs.statOf(fd);
        assertTrusted(file, stat, this.#uid);
        if (stat.size > maxBytes)
          throw refusal(file, `it has ${stat.size} bytes, and a registry at most ${maxBytes}`, "move it away");
        return { bytes: this.readFrom(fd, 0, stat.size), stat };
      } finally {
        this.fs.close(fd);
      }
    } catch (error) {
      // Replaced a moment ago: whoever asks looks again.
      if (errnoOf(error) === "ENOENT") return undefined;
      throw registryIoError("read", file, error);
    }
  }

  /** Up to `length` bytes of an open file; fewer when it is shorter. */
  readFrom(fd: number, position: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    let done = 0;
    while (done < length) {
      const count = this.fs.read(fd, bytes.subarray(done), position + done);
      if (count === 0) break;
      done += count;
    }
    return bytes.subarray(0, done);
  }

  /** Whether the folder is there: without it there is nothing to read and no place for a lock. */
  get isThere(): boolean {
    return this.statIfThere(this.folder) !== undefined;
  }

  /** What a path looks like, or `undefined` when there is nothing. */
  statIfThere(file: string): FileStat | undefined {
    try {
      return this.fs.stat(file);
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw registryIoError("read", file, error);
    }
  }

  /** The name of one of the files, without its folder. */
  nameOf(file: string): string {
    return path.basename(file);
  }

  /** A name for a file that will be renamed to `file`: nobody else uses it. */
  temporary(file: string): string {
    return `${file}.tmp-${process.pid}-${randomBytes(TEMPORARY_BYTES).toString("hex")}`;
  }

  /** Removes what processes that are gone had begun to write; where it cannot, whoever comes next does. */
  sweepTemporaries(): void {
    const ours = `${path.basename(this.snapshot)}.`;
    for (const name of this.#namesIfReadable()) {
      const pid = name.startsWith(ours) ? TEMPORARY.exec(name)?.[1] : undefined;
      if (pid !== undefined && !isRunning(Number(pid))) this.discard(path.join(this.folder, name));
    }
  }

  #namesIfReadable(): readonly string[] {
    try {
      return this.fs.list(this.folder);
    } catch {
      return [];
    }
  }

  /** Makes the folder and those above it, for their owner only; one that everybody may change is refused. */
  ensureFolder(): void {
    const stat = this.statIfThere(this.folder);
    if (stat === undefined) {
      try {
        for (const folder of makeFolders(this.fs, this.folder)) this.entries.changed(folder);
      } catch (error) {
        throw registryIoError("create the folder", this.folder, error);
      }
    } else if (this.#mayEverybodyChange(stat)) {
      throw refusal(this.folder, "everybody may change what is in it", `chmod o-w ${this.folder}`);
    }
  }

  #mayEverybodyChange(stat: FileStat): boolean {
    if (stat.kind !== "link") return isOpenToAll(stat);
    const fd = this.fs.open(this.folder, "folder");
    try {
      return isOpenToAll(this.fs.statOf(fd));
    } finally {
      this.fs.close(fd);
    }
  }

  /** Writes all of `bytes` to the end of an open file, however few the system takes at once. */
  append(fd: number, bytes: Uint8Array): void {
    let done = 0;
    while (done < bytes.length) done += this.fs.write(fd, bytes.subarray(done));
  }

  /** Makes a file of this user's only with these bytes; not durable yet. */
  create(file: string, bytes: Uint8Array): void {
    const fd = this.fs.open(file, "create");
    try {
      this.append(fd, bytes);
    } finally {
      this.fs.close(fd);
    }
  }

  /** Puts a file of this user's only with these bytes in the place of `file`, all of it or nothing; not durable yet. */
  replace(file: string, bytes: Uint8Array): void {
    const temporary = this.temporary(file);
    try {
      this.create(temporary, bytes);
      this.fs.rename(temporary, file);
    } finally {
      this.discard(temporary);
    }
  }

  /** Puts a second name of `from` in the place of `to`; a copy where the file system has no second names, and of what others may read. */
  linkOver(from: string, to: string): void {
    const isPrivate = ((this.statIfThere(from)?.mode ?? 0) & READABLE_BY_OTHERS) === 0;
    const temporary = this.temporary(to);
    try {
      if (!isPrivate || !this.#link(from, temporary)) {
        const copied = this.read(from, MAX_JOURNAL_BYTES);
        if (copied === undefined) return;
        this.create(temporary, copied.bytes);
      }
      this.fs.rename(temporary, to);
    } finally {
      // There, too, when both were names of one file: the system then leaves both as they are.
      this.discard(temporary);
    }
  }

  /** Renames a file to what nothing is called yet; fails when something is. */
  nameNew(temporary: string, file: string): void {
    if (this.#link(temporary, file)) this.discard(temporary);
    else this.fs.rename(temporary, file);
  }

  /** Whether the file system has second names. */
  #link(existing: string, name: string): boolean {
    try {
      this.fs.link(existing, name);
      return true;
    } catch (error) {
      if (NO_LINKS.has(errnoOf(error) ?? "")) return false;
      throw error;
    }
  }

  /** Removes a file of no use; one that is not there, or cannot be removed, is left. */
  discard(file: string): void {
    try {
      this.fs.unlink(file);
    } catch {
      // It is swept away by whoever opens the registry next.
    }
  }
}

const NO_LINKS: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

function makeFolders(fs: RegistryFs, folder: string, isAboveThere = false): readonly string[] {
  const above = path.dirname(folder);
  try {
    fs.makeFolder(folder);
    return [above];
  } catch (error) {
    const code = errnoOf(error);
    if (code === "EEXIST" && fs.stat(folder).kind !== "file") return [];
    // Where nothing can be made, there is none in the folder above either, though that is there.
    if (code !== "ENOENT" || above === folder || isAboveThere) throw error;
    return [...makeFolders(fs, above), ...makeFolders(fs, folder, true)];
  }
}
