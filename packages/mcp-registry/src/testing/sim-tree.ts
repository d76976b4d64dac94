import type { FileStat } from "../fs/registry-fs.js";
import { systemError } from "./sim-error.js";
import type { SimChange, SimEntry, SimIdentity } from "./sim-op.js";

/** A file, a folder or a link of a {@link SimTree}, whatever it is called. */
export interface SimInode extends SimIdentity {
  readonly entries: Map<string, SimInode>;
  mode: number;
  size: number;
  mtime: number;
  /** At least `size` long. */
  buffer: Uint8Array;
  /** How many syncs of it have failed. */
  failures: number;
}

/** Where a path leads: the folder its last name is in, and what is there. */
export interface SimPlace {
  readonly folder: SimInode;
  readonly name: string;
  readonly inode: SimInode | undefined;
}

const MODES: Readonly<Record<SimIdentity["kind"], number>> = { file: 0o600, folder: 0o700, link: 0o777 };
const MOST_LINKS = 40;
const ROOT: SimIdentity = { id: 0, kind: "folder", text: "" };

/** The inodes and folders of a simulated disk, in one state. */
export class SimTree {
  /** Also those that no name leads to: a power cut may keep what was written and lose the name, or the other way round. */
  readonly #inodes = new Map<number, SimInode>();
  readonly #root = this.#inode(ROOT);

  apply(change: SimChange, tick: number): void {
    if (change.kind === "entries") {
      for (const entry of change.entries) this.#setEntry(entry, tick);
      return;
    }
    const inode = this.#inode({ id: change.inode, kind: "file", text: "" });
    inode.mtime = tick;
    if (change.kind === "truncate") return resize(inode, change.length);
    const end = change.offset + change.bytes.length;
    if (end > inode.size) resize(inode, end);
    inode.buffer.set(change.bytes, change.offset);
  }

  /** What is at a path, the last name not followed. */
  find(path: string, call: string): SimInode {
    const { inode } = this.place(path, call);
    if (inode === undefined) throw systemError("ENOENT", call, path);
    return inode;
  }

  /** The folder at a path; follows links. */
  folderAt(path: string, call: string): SimInode {
    return this.#folder(partsOf(path), call, path);
  }

  /** Where the last name of a path is or would be; links before it are followed. */
  place(path: string, call: string): SimPlace {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) return { folder: this.#root, name: "", inode: this.#root };
    const folder = this.#folder(parts, call, path);
    return { folder, name, inode: folder.entries.get(name) };
  }

  #folder(parts: readonly string[], call: string, path: string): SimInode {
    const left = [...parts];
    const above = [this.#root];
    let links = 0;
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const here = above.at(-1) ?? this.#root;
      if (name === "..") {
        if (above.length > 1) above.pop();
        continue;
      }
      const next = here.entries.get(name);
      if (next === undefined) throw systemError("ENOENT", call, path);
      if (next.kind === "folder") {
        above.push(next);
      } else if (next.kind === "link") {
        if (++links > MOST_LINKS) throw systemError("ELOOP", call, path);
        if (next.text.startsWith("/")) above.splice(1);
        left.unshift(...partsOf(next.text));
      } else {
        throw systemError("ENOTDIR", call, path);
      }
    }
    return above.at(-1) ?? this.#root;
  }

  #setEntry({ folder, name, to }: SimEntry, tick: number): void {
    const parent = this.#inode({ id: folder, kind: "folder", text: "" });
    parent.mtime = tick;
    if (to === undefined) parent.entries.delete(name);
    else parent.entries.set(name, this.#inode(to));
  }

  #inode(identity: SimIdentity): SimInode {
    let inode = this.#inodes.get(identity.id);
    if (inode === undefined) {
      inode = newInode(identity);
      this.#inodes.set(identity.id, inode);
    }
    return inode;
  }
}

/** What the port says of an inode. */
export function statOfInode(inode: SimInode, uid: number): FileStat {
  const { id, kind, size, mtime, mode } = inode;
  return { kind, identity: `sim-${id}`, size, mtimeNs: BigInt(mtime), mode, uid };
}

function newInode(identity: SimIdentity): SimInode {
  const { id, kind, text } = identity;
  return {
    id,
    kind,
    text,
    entries: new Map(),
    mode: MODES[kind],
    size: text.length,
    mtime: 0,
    buffer: new Uint8Array(0),
    failures: 0,
  };
}

/** As the real thing: what lies between the old end and the new one is zeros. */
function resize(inode: SimInode, size: number): void {
  if (size > inode.buffer.length) {
    const grown = new Uint8Array(Math.max(size, inode.buffer.length * 2, 1_024));
    grown.set(inode.buffer.subarray(0, inode.size));
    inode.buffer = grown;
  } else if (size > inode.size) {
    inode.buffer.fill(0, inode.size, size);
  }
  inode.size = size;
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
