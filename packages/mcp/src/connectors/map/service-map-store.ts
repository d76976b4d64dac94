import { createHash, randomBytes } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { BRAND, type Clock, type Logger } from "@cortex-os/mcp-core";
import {
  acquireLock,
  ensureFolder,
  keepCorruptCopy,
  readBytes,
  replaceFile,
  resolveTarget,
  type LockOptions,
} from "@cortex-os/mcp-registry";
import { publisherAt, type MapPublisher } from "./map-publisher.js";
import { parseStored, storedText, type ServiceMapStore, type StoredServiceMaps } from "./stored-service-maps.js";

export type { ServiceMapStore, StoredMap, StoredServiceMaps } from "./stored-service-maps.js";

/** Where the maps are kept. */
export interface FileServiceMapStoreOptions {
  /** The path of `state/service-map.json`; neither it nor its folder need exist yet. A symbolic link stays one. */
  readonly file: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /**
   * Whose maps they are: those of another URL, and the floor they left, are kept aside in a file beside it until that URL is back. A query counts, so a token
   * that changes there makes another publisher of it. @default whoever's are there
   */
  readonly serviceMapUrl?: string;
  /** How its lock is waited for. A holder that cannot be judged has lost it after a minute, unless this says otherwise. */
  readonly lock?: LockOptions;
}

/** It is held for milliseconds. One that was killed with its container must not keep all new maps out for ever. */
const UNJUDGED_STALE_MS = 60_000;

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
  readonly #publisher: MapPublisher | undefined;
  #toldOf = "";
  /** Hashes of the damaged files that were told of. */
  readonly #toldDamaged = new Set<string>();

  constructor(options: FileServiceMapStoreOptions) {
    this.#options = options;
    this.#publisher = options.serviceMapUrl === undefined ? undefined : publisherAt(options.serviceMapUrl);
  }

  async load(): Promise<StoredServiceMaps | undefined> {
    const target = await resolveTarget(this.#options.file);
    return this.#ours(target, await this.#read(target));
  }

  async update(change: (now: StoredServiceMaps | undefined) => StoredServiceMaps): Promise<StoredServiceMaps> {
    const target = await resolveTarget(this.#options.file);
    await ensureFolder(path.dirname(target));
    const lock = await acquireLock(`${target}.lock`, { unjudgedStaleMs: UNJUDGED_STALE_MS, ...this.#options.lock });
    try {
      const stored = await this.#read(target);
      const now = await this.#ours(target, stored);
      const changed = change(now);
      if (changed === now) return changed;
      await sweep(target);
      const next = this.#publisher === undefined ? changed : { ...changed, publisher: this.#publisher };
      const other = this.#otherIn(stored);
      // First, so that whatever happens in between its floor is in one of the two files.
      if (other !== undefined) await this.#replace(asideOf(target, other), (await readBytes(target)) ?? "");
      await this.#replace(target, storedText(next));
      return next;
    } finally {
      await lock.release();
    }
  }

  async #replace(file: string, content: string | Uint8Array): Promise<void> {
    await replaceFile(file, content, `${file}-${randomBytes(8).toString("hex")}.tmp`);
  }

  /** The other publisher whose maps these are, if they are not ours. */
  #otherIn(stored: StoredServiceMaps | undefined): MapPublisher | undefined {
    const whose = stored?.publisher;
    return whose === undefined || this.#publisher === undefined || whose.id === this.#publisher.id ? undefined : whose;
  }

  /** What there is of our publisher: as read from `target`, or from where it was put aside. */
  async #ours(target: string, stored: StoredServiceMaps | undefined): Promise<StoredServiceMaps | undefined> {
    const other = this.#otherIn(stored);
    if (other === undefined || this.#publisher === undefined) return stored;
    this.#tell(other, this.#publisher, asideOf(target, other));
    return this.#read(asideOf(target, this.#publisher));
  }

  #tell(other: MapPublisher, own: MapPublisher, keptAs: string): void {
    if (this.#toldOf === other.id) return;
    this.#toldOf = other.id;
    const fields = { brand: BRAND, url: own.url, storedUrl: other.url, keptAs };
    this.#options.logger.warn(
      fields,
      "The stored service maps are another URL's: they are not used, and kept aside as soon as a map of this one comes",
    );
  }

  async #read(target: string): Promise<StoredServiceMaps | undefined> {
    const bytes = await readBytes(target);
    if (bytes === undefined) return undefined;
    const { stored, damage } = parseStored(bytes.toString("utf8"));
    const digest = createHash("sha256").update(bytes).digest("hex");
    if (damage !== undefined && !this.#toldDamaged.has(digest)) {
      this.#toldDamaged.add(digest);
      const { clock, logger } = this.#options;
      const keptAs = await keepCorruptCopy(target, bytes, clock);
      const fields = { file: target, keptAs, floorKept: stored?.floor !== undefined };
      logger.error(fields, `The stored service map ${damage}; what is sound in it is used, and the rest fetched anew`);
    }
    return stored;
  }
}

/**
 * Removes what gateways left that were killed while they wrote. Only for the holder of the lock, under which all of them write. Never rejects: what stays costs a
 * little space.
 */
async function sweep(target: string): Promise<void> {
  const folder = path.dirname(target);
  const base = path.basename(target);
  const isLeft = (name: string): boolean =>
    name.startsWith(base) && /^(?:\.of-[0-9a-f]{16})?-[0-9a-f]{16}\.tmp$/.test(name.slice(base.length));
  try {
    for (const name of (await readdir(folder)).filter(isLeft)) await rm(path.join(folder, name), { force: true });
  } catch {
    // The next change tries again.
  }
}

/** Where the maps of a publisher are kept while another one's are in use. */
const asideOf = (target: string, { id }: MapPublisher): string => `${target}.of-${id.slice(0, 16)}`;
