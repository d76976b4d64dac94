import type { FileStat, OpenMode, RegistryFs } from "../fs/registry-fs.js";
import type { SimDisk } from "./sim-disk.js";
import { ProcessKilled, systemError } from "./sim-error.js";
import type { SimIdentity } from "./sim-op.js";
import { statOfInode, type SimInode, type SimTree } from "./sim-tree.js";

/** One call of a process to a simulated disk. */
export interface SimCall {
  /** The how manieth call of this mount it is; the first is 1. */
  readonly index: number;
  readonly name: keyof RegistryFs;
  /** What the call names; for a descriptor the path it was opened by. */
  readonly path: string;
}

/**
 * What goes wrong at a call.
 *
 * - `error`: it throws that code; `after` it has done its work all the same
 * - `short`: a write takes that many bytes only, and returns
 * - `kill`: the process is gone, before the call has done anything, `after` it, or in the middle of a write that took `wrote` bytes
 */
export type SimFault =
  | { readonly kind: "error"; readonly code: string; readonly after?: boolean }
  | { readonly kind: "short"; readonly bytes: number }
  | { readonly kind: "kill"; readonly after?: boolean; readonly wrote?: number };

/** How one process sees a simulated disk. */
export interface SimMountOptions {
  /** Asked before each call. It may use other mounts of the same disk: that is what another process does meanwhile. */
  readonly onCall?: (call: SimCall) => SimFault | undefined;
  /** The owner of all there is. @default this process's user */
  readonly uid?: number;
}

interface Descriptor {
  readonly path: string;
  readonly mode: OpenMode;
  readonly inode: SimInode;
  /** How many of the failed syncs of the inode it has been told of. */
  toldFailures: number;
}

/** {@link RegistryFs} on a simulated disk, as one process sees it. */
export class SimMount implements RegistryFs {
  readonly #disk: SimDisk;
  readonly #tree: SimTree;
  readonly #onCall: SimMountOptions["onCall"];
  readonly #uid: number;
  readonly #descriptors = new Map<number, Descriptor>();
  #lastDescriptor = 2;
  #calls = 0;
  #killed = false;

  constructor(disk: SimDisk, tree: SimTree, options: SimMountOptions) {
    this.#disk = disk;
    this.#tree = tree;
    this.#onCall = options.onCall;
    this.#uid = options.uid ?? process.getuid?.() ?? 0;
  }

  /** How many calls were made, those that failed included. */
  get calls(): number {
    return this.#calls;
  }

  /** Whether the process is dead: every call throws {@link ProcessKilled} then. */
  get killed(): boolean {
    return this.#killed;
  }

  /** The paths that are open: a leak check. */
  get openPaths(): readonly string[] {
    return [...this.#descriptors.values()].map(({ path }) => path);
  }

  /** Ends the process now, between two calls. */
  kill(): void {
    this.#killed = true;
  }

  open(path: string, mode: OpenMode): number {
    return this.#do("open", path, () => {
      const inode = this.#opened(path, mode);
      this.#descriptors.set(++this.#lastDescriptor, { path, mode, inode, toldFailures: inode.failures });
      return this.#lastDescriptor;
    });
  }

  /** An error comes after it: as with Linux, the descriptor is gone all the same. */
  close(fd: number): void {
    const path = this.#pathOf(fd);
    const fault = this.#begin("close", path, true);
    this.#descriptor(fd, "close");
    this.#descriptors.delete(fd);
    this.#end(fault, "close", path);
  }

  read(fd: number, into: Uint8Array, position: number): number {
    return this.#do("read", this.#pathOf(fd), () => {
      const { inode, path } = this.#descriptor(fd, "read");
      if (inode.kind !== "file") throw systemError("EISDIR", "read", path);
      const bytes = inode.buffer.subarray(Math.min(position, inode.size), Math.min(inode.size, position + into.length));
      into.set(bytes);
      return bytes.length;
    });
  }

  write(fd: number, bytes: Uint8Array): number {
    const path = this.#pathOf(fd);
    const fault = this.#begin("write", path);
    const { inode, mode } = this.#descriptor(fd, "write");
    if (mode !== "append" && mode !== "create") throw systemError("EBADF", "write", path);
    let taken = bytes.length;
    if (fault?.kind === "short") taken = Math.min(taken, fault.bytes);
    else if (fault?.kind === "kill" && fault.wrote !== undefined) taken = Math.min(taken, fault.wrote);
    if (taken > 0) {
      // A copy: the caller may use the array again.
      this.#disk.change({ kind: "write", inode: inode.id, offset: inode.size, bytes: bytes.slice(0, taken) });
    }
    this.#end(fault, "write", path);
    return taken;
  }

  truncate(fd: number, length: number): void {
    this.#do("truncate", this.#pathOf(fd), () => {
      const { inode, mode, path } = this.#descriptor(fd, "truncate");
      if (mode !== "append" && mode !== "create") throw systemError("EINVAL", "truncate", path);
      this.#disk.change({ kind: "truncate", inode: inode.id, length });
    });
  }

  restrict(fd: number): void {
    this.#do("restrict", this.#pathOf(fd), () => {
      this.#descriptor(fd, "restrict").inode.mode = 0o600;
    });
  }

  stat(path: string): FileStat {
    return this.#do("stat", path, () => statOfInode(this.#tree.find(path, "stat"), this.#uid));
  }

  statOf(fd: number): FileStat {
    return this.#do("statOf", this.#pathOf(fd), () => statOfInode(this.#descriptor(fd, "statOf").inode, this.#uid));
  }

  rename(from: string, to: string): void {
    this.#do("rename", from, () => {
      const old = this.#tree.place(from, "rename");
      const target = this.#tree.place(to, "rename");
      if (old.inode === undefined) throw systemError("ENOENT", "rename", from);
      if (target.inode?.kind === "folder") throw systemError("EISDIR", "rename", to);
      // Two names of one file: POSIX has it do nothing, and both stay.
      if (old.inode === target.inode) return;
      this.#disk.change({
        kind: "entries",
        entries: [
          { folder: old.folder.id, name: old.name, to: undefined },
          { folder: target.folder.id, name: target.name, to: old.inode },
        ],
      });
    });
  }

  link(existing: string, name: string): void {
    this.#do("link", name, () => {
      const inode = this.#tree.find(existing, "link");
      if (inode.kind === "folder") throw systemError("EPERM", "link", existing);
      this.#add(name, inode, "link");
    });
  }

  symlink(text: string, name: string): void {
    this.#do("symlink", name, () => {
      this.#add(name, this.#disk.newIdentity("link", text), "symlink");
    });
  }

  readlink(path: string): string {
    return this.#do("readlink", path, () => {
      const { kind, text } = this.#tree.find(path, "readlink");
      if (kind !== "link") throw systemError("EINVAL", "readlink", path);
      return text;
    });
  }

  unlink(path: string): void {
    this.#do("unlink", path, () => {
      const { folder, name, inode } = this.#tree.place(path, "unlink");
      if (inode === undefined) throw systemError("ENOENT", "unlink", path);
      if (inode.kind === "folder") throw systemError("EISDIR", "unlink", path);
      this.#disk.change({ kind: "entries", entries: [{ folder: folder.id, name, to: undefined }] });
    });
  }

  list(folder: string): readonly string[] {
    return this.#do("list", folder, () => [...this.#tree.folderAt(folder, "list").entries.keys()]);
  }

  makeFolder(path: string): void {
    this.#do("makeFolder", path, () => {
      this.#add(path, this.#disk.newIdentity("folder"), "makeFolder");
    });
  }

  datasync(fd: number): Promise<void> {
    return this.#sync("datasync", fd);
  }

  sync(fd: number): Promise<void> {
    return this.#sync("sync", fd);
  }

  async #sync(name: "datasync" | "sync", fd: number): Promise<void> {
    const path = this.#pathOf(fd);
    const fault = this.#begin(name, path, true);
    const descriptor = this.#descriptor(fd, name);
    const { inode } = descriptor;
    const sync = this.#disk.beginSync(inode.id);
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    if (this.#killed) throw new ProcessKilled();
    if (fault?.kind !== "error" || fault.after === true) sync.end();
    // The journal of a file system does not forget an entry; the kernel does forget which bytes of a file it could not write.
    else if (inode.kind === "file") {
      sync.fail();
      inode.failures++;
    }
    // Each descriptor that was open at the time is told once.
    const isNews = descriptor.toldFailures < inode.failures;
    descriptor.toldFailures = inode.failures;
    if (fault?.kind === "error") throw systemError(fault.code, name, path);
    if (isNews) throw systemError("EIO", name, path);
    this.#end(fault, name, path);
  }

  /** What a path opens, as the flags of the real adapter have it. */
  #opened(path: string, mode: OpenMode): SimInode {
    if (mode === "folder") return this.#tree.folderAt(path, "open");
    if (mode === "create") this.#add(path, this.#disk.newIdentity("file"), "open");
    const inode = this.#tree.find(path, "open");
    if (inode.kind === "link") throw systemError("ELOOP", "open", path);
    if (inode.kind === "folder" && mode === "append") throw systemError("EISDIR", "open", path);
    return inode;
  }

  #add(path: string, to: SimIdentity, call: string): void {
    const { folder, name, inode } = this.#tree.place(path, call);
    if (inode !== undefined) throw systemError("EEXIST", call, path);
    this.#disk.change({ kind: "entries", entries: [{ folder: folder.id, name, to }] });
  }

  #pathOf(fd: number): string {
    return this.#descriptors.get(fd)?.path ?? `descriptor ${fd}`;
  }

  #descriptor(fd: number, call: string): Descriptor {
    const descriptor = this.#descriptors.get(fd);
    if (descriptor === undefined) throw systemError("EBADF", call, this.#pathOf(fd));
    return descriptor;
  }

  #do<T>(name: keyof RegistryFs, path: string, run: () => T): T {
    const fault = this.#begin(name, path);
    const result = run();
    this.#end(fault, name, path);
    return result;
  }

  /** Counts the call, and throws what is to happen before it, unless the error is to come `later`. */
  #begin(name: keyof RegistryFs, path: string, later = false): SimFault | undefined {
    if (this.#killed) throw new ProcessKilled();
    this.#calls++;
    const fault = this.#onCall?.({ index: this.#calls, name, path });
    if (fault?.kind === "kill" && fault.after !== true && fault.wrote === undefined) this.#killed = true;
    if (this.#killed) throw new ProcessKilled();
    if (fault?.kind === "error" && fault.after !== true && !later) throw systemError(fault.code, name, path);
    return fault;
  }

  /** Throws what is to happen after a call. */
  #end(fault: SimFault | undefined, name: keyof RegistryFs, path: string): void {
    if (fault?.kind === "error") throw systemError(fault.code, name, path);
    if (fault?.kind !== "kill") return;
    this.#killed = true;
    throw new ProcessKilled();
  }
}
