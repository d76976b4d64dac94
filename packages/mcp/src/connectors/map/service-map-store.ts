import { randomBytes } from "node:crypto";
import path from "node:path";
import type { Clock, Logger } from "@cortex-os/mcp-core";
import {
  acquireLock,
  ensureFolder,
  keepCorruptCopy,
  readBytes,
  replaceFile,
  resolveTarget,
  type LockOptions,
} from "@cortex-os/mcp-registry";
import { parseStored, storedText, type ServiceMapStore, type StoredServiceMaps } from "./stored-service-maps.js";

export type { ServiceMapStore, StoredMap, StoredServiceMaps } from "./stored-service-maps.js";

/** Where the maps are kept. */
export interface FileServiceMapStoreOptions {
  /** The path of `state/service-map.json`; neither it nor its folder need exist yet. A symbolic link stays one. */
  readonly file: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** How its lock is waited for. */
  readonly lock?: LockOptions;
}

/**
 * Keeps the maps in a file of its own (0600 in a folder of 0700), which several processes may use at once.
 *
 * A damaged file is kept aside under a dated name before it is written over, and what is sound in it goes on being used, the floor above all.
 */
export function fileServiceMapStore(options: FileServiceMapStoreOptions): ServiceMapStore {
  return new FileServiceMapStore(options);
}

/** Keeps the maps for the life of the process: nothing is written to disk (R6). */
export function memoryServiceMapStore(): ServiceMapStore {
  let stored: StoredServiceMaps | undefined;
  return {
    load: async () => stored,
    update: async (change) => {
      stored = change(stored);
      return stored;
    },
  };
}

class FileServiceMapStore implements ServiceMapStore {
  readonly #options: FileServiceMapStoreOptions;

  constructor(options: FileServiceMapStoreOptions) {
    this.#options = options;
  }

  async load(): Promise<StoredServiceMaps | undefined> {
    return this.#read(await resolveTarget(this.#options.file));
  }

  async update(change: (now: StoredServiceMaps | undefined) => StoredServiceMaps): Promise<StoredServiceMaps> {
    const target = await resolveTarget(this.#options.file);
    await ensureFolder(path.dirname(target));
    const lock = await acquireLock(`${target}.lock`, this.#options.lock);
    try {
      const now = await this.#read(target);
      const next = change(now);
      if (next !== now) {
        await replaceFile(target, storedText(next), `${target}-${randomBytes(8).toString("hex")}.tmp`);
      }
      return next;
    } finally {
      await lock.release();
    }
  }

  async #read(target: string): Promise<StoredServiceMaps | undefined> {
    const bytes = await readBytes(target);
    if (bytes === undefined) return undefined;
    const { stored, damage } = parseStored(bytes.toString("utf8"));
    if (damage !== undefined) {
      const { clock, logger } = this.#options;
      const keptAs = await keepCorruptCopy(target, bytes, clock);
      const fields = { file: target, keptAs, floorKept: stored?.floor !== undefined };
      logger.error(fields, `The stored service map ${damage}; what is sound in it is used, and the rest fetched anew`);
    }
    return stored;
  }
}
