/** What a directory entry is, without following a symbolic link. */
export type FileKind = "file" | "folder" | "link" | "other";

/** What the store looks at in a file. */
export interface FileStat {
  readonly kind: FileKind;
  /** Which file it is, whatever it is called: device and inode. */
  readonly identity: string;
  readonly size: number;
  /** Nanoseconds since the epoch, by the clock of the file system. */
  readonly mtimeNs: bigint;
  /** The permission bits, with the sticky bit. */
  readonly mode: number;
  /** The user id of the owner. */
  readonly uid: number;
}

/**
 * How a file is opened. Never through a symbolic link, never waiting for a pipe's other end.
 *
 * - `read`: an existing file, to read
 * - `append`: an existing file, to read and to add to: every write goes to its end
 * - `create`: a new file of this user's only (0600), to read and to add to; fails with EEXIST when there is something of that name
 * - `folder`: a folder, to make its entries durable
 */
export type OpenMode = "read" | "append" | "create" | "folder";

/**
 * The calls that the registry makes to a file system: a port, so that a test can fail, cut and kill at each of them. Every call throws (or
 * rejects with) a system error that has a `code`.
 *
 * What only touches the page cache is synchronous, because `upsert` is, and because a section that never awaits cannot be interleaved; what
 * waits for the disk is not.
 */
export interface RegistryFs {
  /** Returns a descriptor. */
  open(path: string, mode: OpenMode): number;
  close(fd: number): void;
  /** Reads into the whole of `into` from `position` on; returns how many bytes there were, 0 at the end. */
  read(fd: number, into: Uint8Array, position: number): number;
  /** Adds to the end of the file; returns how many bytes were taken, perhaps not all. */
  write(fd: number, bytes: Uint8Array): number;
  /** Cuts the file to `length` bytes. */
  truncate(fd: number, length: number): void;
  /** Takes everybody else's permissions away (0600). */
  restrict(fd: number): void;
  /** Of a path; does not follow a link. */
  stat(path: string): FileStat;
  /** Of an open file. */
  statOf(fd: number): FileStat;
  /** Replaces what is at `to`. */
  rename(from: string, to: string): void;
  /** Gives a file a second name; fails with EEXIST when there is something of that name. */
  link(existing: string, name: string): void;
  /** Makes a symbolic link that says `text`, which leads nowhere; fails with EEXIST when there is something of that name. */
  symlink(text: string, name: string): void;
  /** What a symbolic link says. */
  readlink(path: string): string;
  unlink(path: string): void;
  /** The names in a folder. */
  list(folder: string): readonly string[];
  /** Makes one folder, of this user's only (0700). */
  makeFolder(path: string): void;
  /** Resolves when the bytes of a file are on the disk (`fdatasync`). */
  datasync(fd: number): Promise<void>;
  /** Resolves when a file, or the entries of a folder, are on the disk (`fsync`). */
  sync(fd: number): Promise<void>;
}
