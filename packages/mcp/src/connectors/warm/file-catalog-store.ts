import { createHash, randomBytes } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { messageOf, type Logger, type Timers } from "@cortex-os/mcp-core";
import { ensureFolder, errnoOf, readBytes, replaceFile } from "@cortex-os/mcp-registry";
import pLimit from "p-limit";
import type { CatalogStore, StoredPart } from "./catalog-store.js";
import { readStoredPart, storedPartBytes } from "./stored-part.js";

/** Where the lists are kept. */
export interface FileCatalogStoreOptions {
  /** `state/catalog`, for one gateway at a time and nobody else; it need not exist yet. */
  readonly folder: string;
  readonly logger: Logger;
  readonly timers: Timers;
}

/** Least time in milliseconds between two writes of one connector's file; also how long a change waits, so that it disturbs nobody. */
const GAP_MS = 1_000;
/** Largest file in bytes: a connector that lists more starts cold. */
const MAX_BYTES = 32 * 1024 * 1024;
/** Files that are read at a time. */
const READERS = 8;

const FILE_NAME = /^[0-9a-f]{64}\.json$/;
const TEMPORARY_NAME = /^[0-9a-f]{64}\.json-[0-9a-f]{16}\.tmp$/;

/**
 * Keeps what connectors offered in files, one a connector (0600 in a folder of 0700), each replaced in one step. A file that is damaged, too large or of another
 * version is removed: what was in it comes again when the connector does.
 */
export function fileCatalogStore(options: FileCatalogStoreOptions): CatalogStore {
  return new FileCatalogStore(options);
}

class FileCatalogStore implements CatalogStore {
  readonly #options: FileCatalogStoreOptions;
  /** What is to be stored; `undefined`: nothing. */
  #waiting = new Map<string, StoredPart | undefined>();
  /** What the files hold, by key: what is the same is not written again. */
  readonly #digests = new Map<string, string>();
  #cancelTimer: (() => void) | undefined;
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(options: FileCatalogStoreOptions) {
    this.#options = options;
  }

  async load(): Promise<ReadonlyMap<string, StoredPart>> {
    const limit = pLimit(READERS);
    const read = await Promise.all((await this.#fileNames()).map((name) => limit(() => this.#readFile(name))));
    return new Map(read.flatMap((stored) => (stored === undefined ? [] : [[stored.key, stored]])));
  }

  save(stored: StoredPart): void {
    this.#put(stored.key, stored);
  }

  remove(key: string): void {
    this.#put(key, undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    await this.#writing;
    await this.#writeAll();
  }

  #put(key: string, stored: StoredPart | undefined): void {
    if (this.#closed) return;
    this.#waiting.set(key, stored);
    this.#writeLater();
  }

  #writeLater(): void {
    if (this.#closed || this.#cancelTimer !== undefined || this.#writing !== undefined) return;
    this.#cancelTimer = this.#options.timers.after(GAP_MS, () => {
      this.#cancelTimer = undefined;
      this.#writing = this.#writeAll().finally(() => {
        this.#writing = undefined;
        if (this.#waiting.size > 0) this.#writeLater();
      });
    });
  }

  /** Never rejects. */
  async #writeAll(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = new Map();
    for (const [key, stored] of batch) {
      try {
        if (stored === undefined) await this.#remove(key);
        else await this.#write(stored);
      } catch (error) {
        this.#digests.delete(key);
        this.#options.logger.warn({ connectorId: key, err: error }, "What the connector lists could not be stored");
      }
    }
  }

  async #write(stored: StoredPart): Promise<void> {
    const { folder, logger } = this.#options;
    const { key } = stored;
    const { bytes, sha256 } = storedPartBytes(stored);
    if (this.#digests.get(key) === sha256) return;
    if (bytes.length > MAX_BYTES) {
      logger.warn({ connectorId: key, bytes: bytes.length }, "What the connector lists is too long to be stored");
      await this.#remove(key);
      return;
    }
    const file = this.#fileOf(key);
    await ensureFolder(folder);
    await replaceFile(file, bytes, `${file}-${randomBytes(8).toString("hex")}.tmp`);
    this.#digests.set(key, sha256);
  }

  async #remove(key: string): Promise<void> {
    this.#digests.delete(key);
    await rm(this.#fileOf(key), { force: true });
  }

  async #fileNames(): Promise<readonly string[]> {
    const { folder, logger } = this.#options;
    try {
      const names = await readdir(folder);
      // Left by a gateway that was killed while it wrote.
      for (const name of names.filter((each) => TEMPORARY_NAME.test(each))) await this.#discard(name);
      return names.filter((name) => FILE_NAME.test(name));
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") logger.warn({ folder, err: error }, "The stored lists cannot be read");
      return [];
    }
  }

  /** Never rejects: what cannot be used is removed. */
  async #readFile(name: string): Promise<StoredPart | undefined> {
    let reason: string;
    try {
      const read = await this.#readSmall(path.join(this.#options.folder, name));
      if (read.ok && fileNameOf(read.stored.key) === name) {
        this.#digests.set(read.stored.key, read.sha256);
        return read.stored;
      }
      reason = read.ok ? "is another connector's" : read.reason;
    } catch (error) {
      reason = `cannot be read: ${messageOf(error)}`;
    }
    this.#options.logger.warn({ file: name, reason }, "Stored lists of a connector are dropped, and listed anew");
    await this.#discard(name);
    return undefined;
  }

  async #readSmall(file: string): Promise<ReturnType<typeof readStoredPart>> {
    if ((await stat(file)).size > MAX_BYTES) return { ok: false, reason: "is too long" };
    return readStoredPart((await readBytes(file)) ?? Buffer.alloc(0));
  }

  async #discard(name: string): Promise<void> {
    try {
      await rm(path.join(this.#options.folder, name), { force: true });
    } catch (error) {
      this.#options.logger.warn({ file: name, err: error }, "A stored list cannot be removed");
    }
  }

  #fileOf(key: string): string {
    return path.join(this.#options.folder, fileNameOf(key));
  }
}

/** Keys may differ in case alone, which some file systems cannot tell apart. */
const fileNameOf = (key: string): string => `${createHash("sha256").update(key).digest("hex")}.json`;
