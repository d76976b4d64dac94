import { SimMount, type SimMountOptions } from "./sim-mount.js";
import { afterCut, syncedBy, type SimChange, type SimFate, type SimIdentity, type SimOp } from "./sim-op.js";
import { SimTree, type SimInode } from "./sim-tree.js";

/** A sync that has begun. One that is never ended is that of a process that was killed. */
export interface SimSync {
  /** What it covers is durable. */
  end(): void;
  /** What it covers, and is not durable yet, never will be: it stays in the page cache. */
  fail(): void;
}

/**
 * A disk that is only simulated, with a page cache before it: it knows what a power cut would leave.
 *
 * It keeps the history of all changes, and when each became durable: the bytes of a file by a sync of that file, the entries of a folder by a
 * sync of that folder, and nothing by anything else. A sync covers what was there when it was called. One that fails leaves a file's
 * changes in the page cache for good: as with Linux, each descriptor that is open is told once, and the next sync says that all is well.
 */
export class SimDisk {
  readonly #ops: SimOp[] = [];
  readonly #tree = new SimTree();
  /** The places in `#ops` of what a sync would make durable, by inode. */
  readonly #unsynced = new Map<number, number[]>();
  #tick = 0;
  #lastInode = 0;

  /** A disk with these files, all durable, with the folders they need. The paths are absolute. */
  static of(files: Readonly<Record<string, string | Uint8Array>>): SimDisk {
    const disk = new SimDisk();
    for (const [path, content] of Object.entries(files)) disk.put(path, content);
    return disk;
  }

  /** Counts the changes and the syncs that ended: the disk's own time. */
  get tick(): number {
    return this.#tick;
  }

  /** The view of one process: its own descriptors, its own count of calls, its own faults. */
  mount(options: SimMountOptions = {}): SimMount {
    return new SimMount(this, this.#tree, options);
  }

  /** What is in the page cache only at `tick`, oldest first. */
  pending(tick: number = this.#tick): readonly SimOp[] {
    return this.#ops.filter((op) => op.tick <= tick && op.durableTick > tick);
  }

  /**
   * The disk as it is found when the power went at `tick`: what was durable by then, and of what was not what `fateOf` says.
   *
   * @param fateOf is asked about each of {@link pending}, in that order
   */
  image(tick: number, fateOf: (op: SimOp, index: number) => SimFate): SimDisk {
    const image = new SimDisk();
    let index = 0;
    for (const op of this.#ops) {
      if (op.tick > tick) break;
      const change = op.durableTick <= tick ? op.change : afterCut(op.change, fateOf(op, index++));
      if (change !== undefined) image.#record(change, true);
    }
    image.#lastInode = this.#lastInode;
    return image;
  }

  /** Puts a file in place of whatever is there, as an editor does that writes a new one and renames it; durable at once. */
  put(path: string, content: string | Uint8Array): void {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    const file = this.newIdentity("file");
    const parts = path.split("/").slice(1, -1);
    for (const [index] of parts.entries()) this.#ensureFolder(`/${parts.slice(0, index + 1).join("/")}`);
    const { folder, name } = this.#tree.place(path, "put");
    this.#record({ kind: "write", inode: file.id, offset: 0, bytes }, true);
    this.#record({ kind: "entries", entries: [{ folder: folder.id, name, to: file }] }, true);
  }

  /** The bytes of a file; `undefined` when there is none of that name. */
  bytes(path: string): Uint8Array | undefined {
    return this.files("/").get(path);
  }

  /** Every file below a folder, by its whole path; links and folders are left out. */
  files(folder: string): ReadonlyMap<string, Uint8Array> {
    return new Map(filesBelow(this.#tree.folderAt(folder, "files"), folder === "/" ? "" : folder));
  }

  /** For the mounts: makes a change. */
  change(change: SimChange): void {
    this.#record(change, false);
  }

  /** For the mounts: an inode that no name leads to yet. */
  newIdentity(kind: SimIdentity["kind"], text = ""): SimIdentity {
    return { id: ++this.#lastInode, kind, text };
  }

  /** For the mounts: begins a sync of an inode, which covers all that is there now. */
  beginSync(inode: number): SimSync {
    // Also what another sync is at work on: this one waits for it, too.
    const covered = [...(this.#unsynced.get(inode) ?? [])];
    const left = (): number[] => this.#unsynced.get(inode)?.filter((place) => !covered.includes(place)) ?? [];
    return {
      end: () => {
        this.#tick++;
        for (const place of covered) this.#settle(inode, place);
        this.#unsynced.set(inode, left());
      },
      fail: () => void this.#unsynced.set(inode, left()),
    };
  }

  #settle(inode: number, place: number): void {
    const op = this.#ops[place];
    if (op === undefined || this.#unsynced.get(inode)?.includes(place) !== true) return;
    if (op.durableTick > this.#tick) this.#ops[place] = { ...op, durableTick: this.#tick };
  }

  #record(change: SimChange, durable: boolean): void {
    const tick = ++this.#tick;
    const place = this.#ops.push({ tick, change, durableTick: durable ? tick : Infinity }) - 1;
    this.#tree.apply(change, tick);
    if (durable) return;
    for (const inode of syncedBy(change)) {
      const places = this.#unsynced.get(inode);
      if (places === undefined) this.#unsynced.set(inode, [place]);
      else places.push(place);
    }
  }

  #ensureFolder(path: string): void {
    const { folder, name, inode } = this.#tree.place(path, "put");
    if (inode !== undefined) return;
    this.#record({ kind: "entries", entries: [{ folder: folder.id, name, to: this.newIdentity("folder") }] }, true);
  }
}

function* filesBelow(folder: SimInode, path: string): Generator<[string, Uint8Array]> {
  for (const [name, inode] of folder.entries) {
    if (inode.kind === "file") yield [`${path}/${name}`, inode.buffer.slice(0, inode.size)];
    else if (inode.kind === "folder") yield* filesBelow(inode, `${path}/${name}`);
  }
}
