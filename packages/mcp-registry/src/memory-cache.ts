import {
  branded,
  GatewayError,
  silentLogger,
  systemClock,
  systemMonotonic,
  systemTimers,
  type Logger,
  type Monotonic,
  type ServerInfo,
} from "@cortex-os/mcp-core";
import { checkedCopy } from "./document/checked-entry.js";
import { copiedEntry } from "./document/copied-entry.js";
import { problemsOf } from "./document/registry-problems.js";
import { RegistryLog } from "./document/registry-log.js";
import { FlushTimer } from "./flush-timer.js";
import { nodeFs } from "./fs/node-fs.js";
import { wayToTime, wayToUndo } from "./history/past.js";
import { describeChanges, type RegistryChange } from "./history/registry-change.js";
import { Listeners } from "./listeners.js";
import type { RegistryCacheOptions } from "./registry-cache-options.js";
import { RegistryDisk } from "./registry-disk.js";
import type { RegistryStore } from "./registry-store.js";
import { SharedPass } from "./shared-pass.js";

const DEFAULT_FLUSH_INTERVAL_MS = 5_000;
const SHORTEST_FLUSH_INTERVAL_MS = 10;
const DEFAULT_JOURNAL_LIMIT_BYTES = 1024 * 1024;

/**
 * The registry in memory (R10), with its journal (R11): reads never touch the disk or wait; a change is in the journal when its call returns.
 *
 * | what has happened | survives the process | survives the machine |
 * | --- | --- | --- |
 * | {@link upsert}, {@link remove} returned | yes | not promised |
 * | {@link durable} resolved | yes | yes, every change made before its call |
 * | {@link flush} resolved | yes | yes, and `servers.json` says so |
 *
 * Any number of instances and processes may use one registry: each change is made on top of what the others did, under a lock that is never held
 * for longer than that. {@link refresh} takes in what others did.
 */
export class RegistryMemoryCache {
  readonly #registryPath: string;
  readonly #disk: RegistryDisk;
  readonly #store: RegistryStore;
  readonly #flushes = new SharedPass(async () => this.#writeSnapshot());
  readonly #log: RegistryLog;
  readonly #logger: Logger;
  readonly #listeners = new Listeners((error) => {
    this.#logger.error({ err: error }, "A listener to the registry failed");
  });
  readonly #monotonic: Monotonic;
  readonly #onFlush: (durationMs: number | undefined) => void;
  readonly #flushTimer: FlushTimer;
  #state: "new" | "ready" | "closed" = "new";
  #initialising: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** @throws RangeError for a `flushIntervalMs` that is negative or no number */
  constructor(options: RegistryCacheOptions) {
    const flushIntervalMs = options.flushIntervalMs ?? DEFAULT_FLUSH_INTERVAL_MS;
    if (!(flushIntervalMs >= 0))
      throw new RangeError(`flushIntervalMs must be a number of milliseconds >= 0, got ${flushIntervalMs}`);
    const waitMs = Math.max(SHORTEST_FLUSH_INTERVAL_MS, flushIntervalMs);
    this.#flushTimer = new FlushTimer(options.timers ?? systemTimers, waitMs, () => {
      this.flush().catch((error: unknown) => {
        this.#logger.warn({ err: error, registryPath: this.#registryPath }, "Registry flush failed");
      });
    });
    this.#registryPath = options.registryPath;
    this.#logger = branded(options.logger ?? silentLogger);
    this.#log = new RegistryLog(this.#logger, options.registryPath);
    this.#monotonic = options.monotonic ?? systemMonotonic;
    this.#onFlush = options.onFlush ?? (() => {});
    this.#disk = new RegistryDisk({
      ...{ fs: nodeFs, clock: systemClock, lock: {}, journalLimitBytes: DEFAULT_JOURNAL_LIMIT_BYTES },
      ...options,
      onChange: () => {
        this.#changed();
      },
    });
    this.#store = this.#disk.store;
  }

  /**
   * Reads the files; needed before anything else, and a second call waits for the first. None is an empty registry. What is damaged is kept
   * beside itself under a dated name and rebuilt from the journal as far as that reaches: {@link problems} says so, and the log. A registry
   * that this process may read but not write is served.
   *
   * @throws GatewayError `REGISTRY_IO` when a file is there and cannot be read or is not to be trusted; it may be called again then
   */
  init(): Promise<void> {
    this.#initialising ??= this.#init().catch((error: unknown) => {
      this.#initialising = undefined;
      this.#log.loadFailed(error);
      throw error;
    });
    return this.#initialising;
  }

  /** The servers in file order; the array and what is in it are the caller's own. Works after {@link close}, too. */
  getAll(): ServerInfo[] {
    return this.entries.map(copiedEntry);
  }

  /** The servers in file order, frozen: the same array until something changes. Works after {@link close}, too. */
  get entries(): readonly ServerInfo[] {
    this.#assertInitialised();
    return this.#store.table.served;
  }

  /** What is wrong with the registry, each for people to read; empty when all is well. Holds no values. */
  get problems(): readonly string[] {
    const findings = this.#store.findings.filter(({ level }) => level !== "info").map(({ text }) => text);
    const failure = this.#disk.failure === undefined ? [] : [this.#disk.failure];
    return [...failure, ...findings, ...problemsOf(this.#store.table.document)];
  }

  /** `degraded`: the disk refused the last writing, or something of the registry is lost; {@link problems} says what. */
  get health(): "ok" | "degraded" {
    const isLost = this.#store.findings.some(({ level }) => level === "error");
    return this.#disk.failure !== undefined || this.#store.mustRenew || isLost ? "degraded" : "ok";
  }

  /** Whether there is a `servers.json` that cannot be read and nothing to rebuild it from: what it holds is not known, though nothing is served. */
  get isUnreadable(): boolean {
    return this.#store.isUnreadable;
  }

  /**
   * Adds a server, or replaces the one of that name. When it returns the change survives this process, however it ends.
   *
   * @throws GatewayError `USER_INPUT` for an entry that `ServerInfoSchema` refuses or that there is no room for, `REGISTRY_IO` when the journal
   * cannot be written, `INTERNAL` before `init` or after `close`; nothing has changed then
   */
  upsert(si: ServerInfo): void {
    this.#assertOpen();
    const entry = checkedCopy(si);
    this.#disk.change((table) => table.upserting(entry), { by: "command" });
  }

  /**
   * Removes a server, also one that is set aside in the file under that name. When it returns the change survives this process.
   *
   * @returns whether there was one
   * @throws GatewayError `REGISTRY_IO` when the journal cannot be written, `INTERNAL` before `init` or after `close`; nothing has changed then
   */
  remove(name: string): boolean {
    this.#assertOpen();
    return this.#disk.change((table) => table.removing(name), { by: "command" }).length > 0;
  }

  /**
   * What has been changed, oldest first: as far as the two journals reach, which is at least the last MiB of changes.
   *
   * @throws GatewayError `REGISTRY_IO` when they cannot be read
   */
  history(): readonly RegistryChange[] {
    this.#assertInitialised();
    return describeChanges(this.#disk.readPast().changes);
  }

  /**
   * Takes the latest change back that was not taken back yet; changes that were made as one (an edit by hand, a restore) together. That is a
   * change, too.
   *
   * @returns what was taken back; empty when there was nothing left
   * @throws as {@link remove}
   */
  undo(): readonly RegistryChange[] {
    this.#assertOpen();
    return describeChanges(this.#disk.goBack("undo", wayToUndo)).map((change) => ({ ...change, undone: true }));
  }

  /**
   * Brings back how it was at a time, in milliseconds since the epoch. That is a change, too, and can be undone.
   *
   * @returns what was taken back; empty when nothing has changed since
   * @throws GatewayError `USER_INPUT` when the journals do not reach so far; else as {@link remove}
   */
  restore(atMs: number): readonly RegistryChange[] {
    this.#assertOpen();
    return describeChanges(this.#disk.goBack("restore", (table, past) => wayToTime(table, past, atMs)));
  }

  /**
   * Resolves when every change made before this call survives a power cut. Calls that come together share one sync of the disk; after one
   * that fails everything is written to new files: the next sync of the old ones would succeed, whatever had been lost.
   *
   * @throws GatewayError `REGISTRY_IO` when that fails, too; the changes are kept, and the next call tries it again
   */
  async durable(): Promise<void> {
    if (!(await this.#disk.commit())) await this.flush();
  }

  /**
   * Writes `servers.json`; resolves when every change made before this call is in it, durably. Calls that overlap share a pass, but each waits
   * for one that begins after it. Without changes it writes nothing.
   *
   * @throws GatewayError `REGISTRY_IO`; the journal has the changes, and the next flush tries again
   */
  flush(): Promise<void> {
    return this.#flushes.run();
  }

  /**
   * Takes in what others did, edits of `servers.json` by hand too. One that is not JSON (somebody is in the middle of editing it) changes
   * nothing; one that is gone is written anew with the next flush.
   *
   * @throws GatewayError `REGISTRY_IO` when a file is there and cannot be read or is not to be trusted; nothing changes then
   */
  async refresh(): Promise<void> {
    this.#assertInitialised();
    if (this.#state !== "closed") await this.#disk.refresh();
  }

  /** Calls `listener` after the content, or what is wrong with it, has changed, by whatever hand; returns what ends that. */
  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /**
   * Writes what has changed and ends: no timer, no write and no change after it. Idempotent. Other instances on the same files are not
   * concerned, closed or not.
   *
   * @throws GatewayError `REGISTRY_IO` when the last flush fails; changes are refused all the same, and `close` may be tried again
   */
  close(): Promise<void> {
    this.#closing ??= this.#close().catch((error: unknown) => {
      this.#closing = undefined;
      throw error;
    });
    return this.#closing;
  }

  async #init(): Promise<void> {
    if (this.#state === "closed") throw closedError();
    await this.#disk.open();
    this.#state = "ready";
    this.#changed();
  }

  async #writeSnapshot(): Promise<void> {
    if (this.#state === "new") return;
    this.#flushTimer.disarm();
    const startedAt = this.#monotonic.elapsedMs();
    try {
      const wrote = await this.#disk.writeSnapshot();
      this.#flushTimer.succeeded();
      if (!wrote) return;
      this.#onFlush(this.#monotonic.elapsedMs() - startedAt);
      this.#logger.info({ registryPath: this.#registryPath }, "Flushed registry to disk");
    } catch (error) {
      this.#flushTimer.failed();
      this.#onFlush(undefined);
      throw error;
    } finally {
      // What was changed meanwhile, and what could not be written, is for the next one.
      this.#armIfDirty();
    }
  }

  async #close(): Promise<void> {
    await this.#initialising?.catch(() => {});
    this.#state = "closed";
    this.#flushTimer.disarm();
    try {
      await this.flush();
    } finally {
      await this.#disk.close();
    }
  }

  /** The content has changed, or what is wrong with it. */
  #changed(): void {
    if (this.#state === "new") return;
    this.#log.tell(this.#store.findings, this.#store.table.problems);
    this.#armIfDirty();
    this.#listeners.tell();
  }

  /** Only an instance with something to write has a timer. */
  #armIfDirty(): void {
    if (this.#state === "ready" && this.#store.isDirty) this.#flushTimer.arm();
  }

  #assertInitialised(): void {
    if (this.#state === "new") throw new GatewayError("INTERNAL", "the registry was used before init() had finished");
  }

  #assertOpen(): void {
    this.#assertInitialised();
    if (this.#state === "closed") throw closedError();
  }
}

const closedError = (): GatewayError => new GatewayError("INTERNAL", "the registry was used after close()");
