import { systemHoldingTimers, type Logger, type ServerInfo } from "@cortex-os/mcp-core";
import type { RegistryChange } from "./history/registry-change.js";
import type { LockOptions } from "./lock.js";
import { RegistryMemoryCache } from "./memory-cache.js";
import { registryPath, type PathEnvironment } from "./paths.js";

/** Options of an {@link FsStore}. */
export interface FsStoreOptions {
  /** Where the path comes from, looked at when the registry is opened. @default `process.env` */
  readonly env?: PathEnvironment;
  /** @default silent */
  readonly logger?: Logger;
  /** How the lock between processes is waited for. */
  readonly lock?: LockOptions;
}

/** Changes that come together are written together; in milliseconds. */
const FLUSH_AFTER_MS = 50;

/** One opening of the registry: shared by all that arrive before it is closed. */
interface Opened {
  readonly ready: Promise<RegistryMemoryCache>;
  /** Set once `init` is done, so that nobody sees half of a registry. */
  cache: RegistryMemoryCache | null;
  /** What was asked and is not done: closing waits for it. */
  readonly running: Set<Promise<unknown>>;
}

/**
 * The registry at its usual place (R12), opened at first use. Several processes may use one registry and lose nothing: see
 * {@link RegistryMemoryCache}. What changes it resolves when the change survives a power cut; those that come together share one sync of the disk.
 * All methods reject with a `GatewayError` `REGISTRY_IO` when a file cannot be read or written; the next call tries again.
 */
export class FsStore {
  readonly #options: FsStoreOptions;
  #opened: Opened | undefined;

  constructor(options: FsStoreOptions = {}) {
    this.#options = options;
  }

  /** The servers as they are now, whoever changed them last. */
  readAll(): Promise<ServerInfo[]> {
    return this.#run(async (cache) => {
      await cache.refresh();
      return cache.getAll();
    });
  }

  /**
   * Adds a server or replaces the one of that name. When it rejects with `REGISTRY_IO` the change may have been made all the same, without being
   * durable: the next one makes it so.
   *
   * @throws GatewayError `USER_INPUT` for an entry that `ServerInfoSchema` refuses
   */
  upsert(si: ServerInfo): Promise<void> {
    return this.#change((cache) => {
      cache.upsert(si);
    });
  }

  /** Removes a server; resolves with whether there was one. */
  remove(name: string): Promise<boolean> {
    return this.#change((cache) => cache.remove(name));
  }

  /** What has been changed, oldest first; see {@link RegistryMemoryCache.history}. */
  history(): Promise<readonly RegistryChange[]> {
    return this.#run(async (cache) => cache.history());
  }

  /** Takes the latest change back; see {@link RegistryMemoryCache.undo}. */
  undo(): Promise<readonly RegistryChange[]> {
    return this.#change((cache) => cache.undo());
  }

  /** Brings back how it was at a time, in milliseconds since the epoch; see {@link RegistryMemoryCache.restore}. */
  restore(atMs: number): Promise<readonly RegistryChange[]> {
    return this.#change((cache) => cache.restore(atMs));
  }

  /** The cache behind the store: `null` before the first use is through, and from the call of {@link closeRegistryCache} on. */
  getRegistryCache(): RegistryMemoryCache | null {
    return this.#opened?.cache ?? null;
  }

  /**
   * Waits for what was asked before, writes `servers.json` and closes. The next use looks the path up anew. Without an open registry it does nothing.
   *
   * @throws GatewayError `REGISTRY_IO` when `servers.json` cannot be written; the changes are in the journal
   */
  async closeRegistryCache(): Promise<void> {
    const opened = this.#opened;
    if (opened === undefined) return;
    this.#opened = undefined;
    await Promise.allSettled(opened.running);
    await opened.cache?.close();
  }

  #change<T>(make: (cache: RegistryMemoryCache) => T): Promise<T> {
    return this.#run(async (cache) => {
      const made = make(cache);
      await cache.durable();
      return made;
    });
  }

  #run<T>(use: (cache: RegistryMemoryCache) => Promise<T>): Promise<T> {
    const opened = (this.#opened ??= this.#open());
    const run = opened.ready.then(use);
    opened.running.add(run);
    const done = (): boolean => opened.running.delete(run);
    run.then(done, done);
    return run;
  }

  #open(): Opened {
    const opened: Opened = { ready: this.#initialised(), cache: null, running: new Set() };
    opened.ready.then(
      (cache) => {
        opened.cache = cache;
      },
      () => {
        if (this.#opened === opened) this.#opened = undefined;
      },
    );
    return opened;
  }

  async #initialised(): Promise<RegistryMemoryCache> {
    const { env, logger, lock } = this.#options;
    const cache = new RegistryMemoryCache({
      registryPath: registryPath(env ?? process.env),
      // Soon, and holding the process open meanwhile: one that ends after its last change leaves a servers.json that other tools can read.
      flushIntervalMs: FLUSH_AFTER_MS,
      timers: systemHoldingTimers,
      ...(logger === undefined ? {} : { logger }),
      ...(lock === undefined ? {} : { lock }),
    });
    await cache.init();
    return cache;
  }
}

const store = new FsStore();

/** {@link FsStore.readAll} of the registry this process's environment names. */
export const readAll = (): Promise<ServerInfo[]> => store.readAll();

/** {@link FsStore.upsert} of the registry this process's environment names. */
export const upsert = (si: ServerInfo): Promise<void> => store.upsert(si);

/** {@link FsStore.remove} of the registry this process's environment names. */
export const remove = (name: string): Promise<boolean> => store.remove(name);

/** {@link FsStore.getRegistryCache} of the registry this process's environment names. */
export const getRegistryCache = (): RegistryMemoryCache | null => store.getRegistryCache();

/** {@link FsStore.closeRegistryCache} of the registry this process's environment names. */
export const closeRegistryCache = (): Promise<void> => store.closeRegistryCache();
