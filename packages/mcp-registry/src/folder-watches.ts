import { watch, type FSWatcher } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path";

/** What {@link FolderWatches} reports to. */
export interface FolderWatchEvents {
  /** Something happened to one of the paths, or may have. */
  readonly onEvent: () => void;
  /** A folder cannot be watched, or not any more. */
  readonly onError: (error: unknown) => void;
}

interface FolderWatch {
  /** Which folder it is, whatever it is called: one that was deleted and made again is another. */
  readonly identity: string;
  /** What is of interest in it; everything else there is ignored. */
  names: ReadonlySet<string>;
  readonly watcher: FSWatcher;
}

/** How many folders above each path are watched: that many may be deleted and made again with nothing missed. */
const LEVELS = 3;

/**
 * Watches the folders that lead to some paths, whether the paths exist or not. It asks the kernel about folders and not about files: a
 * watch on a file goes blind when the file is replaced, one on its folder sees every change in it by name.
 */
export class FolderWatches {
  readonly #events: FolderWatchEvents;
  readonly #watches = new Map<string, FolderWatch>();
  readonly #refused = new Set<string>();

  constructor(events: FolderWatchEvents) {
    this.#events = events;
  }

  /** Watches what there is on the way to `files` now, and nothing else. Call it again after each event: folders come and go. */
  async follow(files: readonly string[]): Promise<void> {
    for (let settled = false; !settled;) {
      const wanted = await foldersOn(files);
      this.#closeAllBut(wanted);
      // A folder made in another before that one was watched was seen by nobody: look again until there is nothing new.
      settled = true;
      for (const [folder, { identity, names }] of wanted) {
        const present = this.#watches.get(folder);
        if (present === undefined) settled = !this.#open(folder, identity, names) && settled;
        else present.names = names;
      }
    }
  }

  /** Ends all watches; nothing is reported after it. */
  close(): void {
    this.#closeAllBut(new Map());
  }

  #closeAllBut(wanted: ReadonlyMap<string, { readonly identity: string }>): void {
    for (const [folder, opened] of this.#watches) {
      if (wanted.get(folder)?.identity !== opened.identity) this.#end(folder, opened);
    }
  }

  #end(folder: string, opened: FolderWatch): void {
    opened.watcher.close();
    if (this.#watches.get(folder) === opened) this.#watches.delete(folder);
  }

  /** Whether it is watched now. */
  #open(folder: string, identity: string, names: ReadonlySet<string>): boolean {
    try {
      const watcher = watch(folder, { persistent: false });
      const opened: FolderWatch = { identity, names, watcher };
      this.#watches.set(folder, opened);
      watcher.on("change", (_, name) => {
        if (this.#watches.get(folder) !== opened) return;
        // The kernel names the folder itself when it was deleted or moved: this watch has seen its last.
        const itself = name === path.basename(folder);
        if (itself) this.#end(folder, opened);
        if (itself || typeof name !== "string" || opened.names.has(name)) this.#events.onEvent();
      });
      watcher.on("error", (error) => {
        this.#end(folder, opened);
        this.#refuse(folder, error);
      });
      this.#refused.delete(folder);
      return true;
    } catch (error) {
      this.#refuse(folder, error);
      return false;
    }
  }

  /** Told once for each folder, however often it is tried. */
  #refuse(folder: string, error: unknown): void {
    if (this.#refused.has(folder)) return;
    this.#refused.add(folder);
    this.#events.onError(error);
  }
}

/** The existing folders on the way to the files, each with the names in it that matter. */
async function foldersOn(
  files: readonly string[],
): Promise<Map<string, { readonly identity: string; readonly names: Set<string> }>> {
  const folders = new Map<string, { identity: string; names: Set<string> }>();
  for (const file of files) {
    let levels = LEVELS;
    for (let below = file; levels > 0 && path.dirname(below) !== below; below = path.dirname(below)) {
      const folder = path.dirname(below);
      const identity = await identityOf(folder);
      if (identity === undefined) continue;
      levels--;
      const known = folders.get(folder) ?? { identity, names: new Set() };
      folders.set(folder, known);
      known.names.add(path.basename(below));
    }
  }
  return folders;
}

async function identityOf(folder: string): Promise<string | undefined> {
  try {
    const { dev, ino, birthtimeNs } = await stat(folder, { bigint: true });
    return `${dev}-${ino}-${birthtimeNs}`;
  } catch {
    return undefined;
  }
}
