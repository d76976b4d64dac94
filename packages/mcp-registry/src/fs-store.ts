import type { Logger, ServerInfo } from "@cortex-os/mcp-core";
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

/** One opening of the registry: shared by all that arrive before it is closed. */
interface Opened {
  readonly ready: Promise<RegistryMemoryCache>;
  /** Set once `init` is done, so that nobody sees half of a registry. */
  cache: RegistryMemoryCache | null;
  /** What was asked and is not done: closing waits for it. */
  readonly running: Set<Promise<unknown>>;
}

/**
 * The registry at its usual place (R12), opened at first use. Each change is made to what the file holds at that moment, under a lock: several
 * processes may use one registry and lose nothing. All methods reject with a `GatewayError` `REGISTRY_IO` when the file cannot be read or
 * written; the next call tries again.
 */
export class FsStore {
  readonly #options: FsStoreOptions;
  #opened: Opened | undefined;

  constructor(options: FsStoreOptions = {}) {
    this.#options = options;
  }

  /** The servers that are in the file now. While it is not JSON: those of the last good reading, or none (see `problems` of the cache). */
  readAll(): Promise<ServerInfo[]> {
    return this.#run(async (cache) => {
      await cache.refresh();
      return cache.getAll();
    });
  }

  /**
   * Adds a server or replaces the one of that name; resolves when that is durable. When it rejects, the change is kept in memory and tried
   * again with the next one.
   *
   * @throws GatewayError `USER_INPUT` for an entry that `ServerInfoSchema` refuses
   */
  upsert(si: ServerInfo): Promise<void> {
    return this.#run(async (cache) => {
      cache.upsert(si);
      await cache.flush();
    });
  }

  /** Removes a server; resolves with whether there was one, when that is durable. */
  remove(name: string): Promise<boolean> {
    return this.#run(async (cache) => {
      // Another process may have added it since.
      await cache.refresh();
      const removed = cache.remove(name);
      await cache.flush();
      return removed;
    });
  }

  /** The cache behind the store: `null` before the first use is through, and from the call of {@link closeRegistryCache} on. */
  getRegistryCache(): RegistryMemoryCache | null {
    return this.#opened?.cache ?? null;
  }

  /**
   * Waits for what was asked before, and closes. The next use looks the path up anew. Without an open registry it does nothing.
   *
   * @throws GatewayError `REGISTRY_IO` when changes whose promise had rejected still cannot be written; they are dropped
   */
  async closeRegistryCache(): Promise<void> {
    const opened = this.#opened;
    if (opened === undefined) return;
    this.#opened = undefined;
    await Promise.allSettled(opened.running);
    await opened.cache?.close();
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
    const { env, logger, lock } = this.#options;
    const cache = new RegistryMemoryCache({
      registryPath: registryPath(env ?? process.env),
      // Each change is flushed by whoever asked for it.
      flushIntervalMs: Infinity,
      ...(logger === undefined ? {} : { logger }),
      ...(lock === undefined ? {} : { lock }),
    });
    const opened: Opened = { ready: cache.init().then(() => cache), cache: null, running: new Set() };
    opened.ready.then(
      () => {
        opened.cache = cache;
      },
      () => {
        if (this.#opened === opened) this.#opened = undefined;
      },
    );
    return opened;
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
