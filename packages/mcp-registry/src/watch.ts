import { stat } from "node:fs/promises";
import path from "node:path";
import { silentLogger, systemTimers, type Logger, type Timers } from "@cortex-os/mcp-core";
import { FolderWatches } from "./folder-watches.js";
import { resolveTarget } from "./snapshot-file.js";

// Not chokidar 5: tried here on Linux, it lost a replacement by rename within 60 ms after a write for good, and with it the change.

/** Options of {@link watchFile}. */
export interface FileWatchOptions {
  /** The file; neither it nor its folder need exist. */
  readonly path: string;
  /** Called after a change, once for those that come together. It is told of some that were none: compare what you read. */
  readonly onChange: () => void;
  /** @default silent */
  readonly logger?: Logger;
  /** @default the system's */
  readonly timers?: Timers;
}

/** A watch that runs. */
export interface FileWatch {
  /** Ends it; `onChange` is not called any more from the call on. Idempotent. */
  close(): Promise<void>;
}

/** Changes this close together are reported as one, in milliseconds. */
const DEBOUNCE_MS = 50;
/** How often the file is looked at without being told, in milliseconds: network and container file systems tell nothing. */
const LOOK_MS = 2_000;

/**
 * Tells when a file (the registry, the configuration) changes, by whatever hand: in place, by rename, removed, made anew, also where it or its folder does not exist
 * yet, and at the end of a symbolic link. Within about 50 ms where the system tells of changes, within about 2 s where it does not. It does
 * not keep the process alive.
 *
 * Resolves when changes from then on are noticed, so read the file after that. A folder that cannot be watched (no more watches to be
 * had, for example) is logged as a warning.
 */
export async function watchFile(options: FileWatchOptions): Promise<FileWatch> {
  const watcher = new FileWatcher(options);
  await watcher.start();
  return watcher;
}

class FileWatcher implements FileWatch {
  readonly #file: string;
  readonly #onChange: () => void;
  readonly #logger: Logger;
  readonly #timers: Timers;
  readonly #folders: FolderWatches;
  /** One look after the other. */
  #looking: Promise<void> = Promise.resolve();
  #seen = "";
  #cancelReport: (() => void) | undefined;
  #cancelLook: (() => void) | undefined;
  #closed = false;

  constructor(options: FileWatchOptions) {
    this.#file = path.resolve(options.path);
    this.#onChange = options.onChange;
    this.#logger = options.logger ?? silentLogger;
    this.#timers = options.timers ?? systemTimers;
    this.#folders = new FolderWatches({
      onEvent: () => this.#reportSoon(),
      onError: (error) =>
        this.#logger.warn({ err: error, file: this.#file }, "Changes of a file are noticed by looking every 2 s only"),
    });
  }

  async start(): Promise<void> {
    await this.#look();
    this.#lookLater();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelReport?.();
    this.#cancelLook?.();
    await this.#looking;
    this.#folders.close();
  }

  #reportSoon(): void {
    if (this.#closed || this.#cancelReport !== undefined) return;
    this.#cancelReport = this.#timers.after(DEBOUNCE_MS, () => {
      this.#cancelReport = undefined;
      // First the watch, then the report: what changes after the reader has read must be seen.
      void this.#look().then(() => this.#report());
    });
  }

  #lookLater(): void {
    if (this.#closed) return;
    this.#cancelLook = this.#timers.after(LOOK_MS, () => {
      const before = this.#seen;
      void this.#look().then(() => {
        if (this.#seen !== before) this.#report();
        this.#lookLater();
      });
    });
  }

  /** Follows the file to where it is now, and remembers how it looks. Never rejects. */
  #look(): Promise<void> {
    this.#looking = this.#looking.then(async () => {
      if (this.#closed) return;
      const target = await resolveTarget(this.#file).catch(() => this.#file);
      await this.#folders.follow([this.#file, target]);
      this.#seen = `${target} ${await appearanceOf(target)}`;
    });
    return this.#looking;
  }

  #report(): void {
    if (this.#closed) return;
    try {
      this.#onChange();
    } catch (error) {
      this.#logger.error({ err: error, file: this.#file }, "A listener to a file's changes failed");
    }
  }
}

/** What changes when a file does. */
async function appearanceOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join("-");
  } catch {
    return "";
  }
}
