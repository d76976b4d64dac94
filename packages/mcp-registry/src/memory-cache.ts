import {
  branded,
  GatewayError,
  messageOf,
  silentLogger,
  systemClock,
  systemTimers,
  type Clock,
  type Logger,
  type ServerInfo,
  type Timers,
} from "@cortex-os/mcp-core";
import { checkedCopy } from "./checked-entry.js";
import type { LockOptions } from "./lock.js";
import { PendingChanges } from "./pending-changes.js";
import { readRegistry, setCorruptAside, updateRegistry, type KnownRegistry } from "./registry-disk.js";
import { EMPTY_REGISTRY, entriesOf, withEntry, withoutName, type RegistryDocument } from "./registry-file.js";
import { problemsOf, RegistryWarnings } from "./registry-problems.js";

/** Options of a {@link RegistryMemoryCache}. */
export interface RegistryCacheOptions {
  /** Where `servers.json` is; it and its folder need not exist. A symbolic link is written through. */
  readonly registryPath: string;
  /** How long after a change it is written by itself, in milliseconds; at least 10, `Infinity` for never. @default 5_000 */
  readonly flushIntervalMs?: number;
  /** @default silent */
  readonly logger?: Logger;
  /** For the periodic flush. @default the system's */
  readonly timers?: Timers;
  /** For the names of set-aside files. @default the system's */
  readonly clock?: Clock;
  /** How the lock between processes is waited for. */
  readonly lock?: LockOptions;
}

const DEFAULT_FLUSH_INTERVAL_MS = 5_000;
const SHORTEST_FLUSH_INTERVAL_MS = 10;

/**
 * The registry in memory (R10): reads never touch the disk or wait; changes are made in memory at once and written later.
 *
 * The file may be changed by others meanwhile. A flush reads it again under a lock and makes only this instance's own changes, so that
 * nobody's are lost; {@link refresh} takes in what others did. What it does not understand in the file it keeps there. A file that is
 * gone or no longer readable as JSON at a flush is written anew from memory, after a copy of what it held was kept.
 */
export class RegistryMemoryCache {
  readonly #registryPath: string;
  readonly #flushIntervalMs: number;
  readonly #logger: Logger;
  readonly #timers: Timers;
  readonly #clock: Clock;
  readonly #lock: LockOptions;
  readonly #warnings: RegistryWarnings;

  /** What callers see: {@link #known} with all changes that are not there yet. */
  #current: RegistryDocument = EMPTY_REGISTRY;
  /** What the file held when it was last read or written. */
  #known: KnownRegistry = { document: EMPTY_REGISTRY };
  #pending = new PendingChanges();
  #corrupt: string | undefined;
  #state: "new" | "ready" | "closed" = "new";
  #lastTurn: Promise<unknown> = Promise.resolve();
  #initialising: Promise<void> | undefined;
  #nextFlush: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;

  /** @throws RangeError for a `flushIntervalMs` that is negative or no number */
  constructor(options: RegistryCacheOptions) {
    const flushIntervalMs = options.flushIntervalMs ?? DEFAULT_FLUSH_INTERVAL_MS;
    if (!(flushIntervalMs >= 0)) {
      throw new RangeError(`flushIntervalMs must be a number of milliseconds >= 0, got ${flushIntervalMs}`);
    }
    this.#registryPath = options.registryPath;
    this.#flushIntervalMs = Math.max(SHORTEST_FLUSH_INTERVAL_MS, flushIntervalMs);
    this.#logger = branded(options.logger ?? silentLogger);
    this.#warnings = new RegistryWarnings(this.#logger, options.registryPath);
    this.#timers = options.timers ?? systemTimers;
    this.#clock = options.clock ?? systemClock;
    this.#lock = options.lock ?? {};
  }

  /**
   * Reads the file; needed before anything else, and a second call waits for the first. No file is an empty registry. One that is not JSON
   * is kept as `servers.json.corrupt-<UTC time>`, logged as an error, and the registry is empty.
   *
   * @throws GatewayError `REGISTRY_IO` when the file is there and cannot be read; it may be called again then
   */
  init(): Promise<void> {
    this.#initialising ??= this.#inTurn(() => this.#load()).catch((error: unknown) => {
      this.#initialising = undefined;
      throw error;
    });
    return this.#initialising;
  }

  /** The servers in file order; the array and what is in it are the caller's own. Works after {@link close}, too. */
  getAll(): ServerInfo[] {
    this.#assertInitialised();
    return structuredClone(entriesOf(this.#current));
  }

  /** What is wrong with the file as it was last read, each for people to read; empty when all is well. Holds no values. */
  get problems(): readonly string[] {
    const entries = problemsOf(this.#current);
    return this.#corrupt === undefined ? entries : [this.#corrupt, ...entries];
  }

  /**
   * Adds a server, or replaces the one of that name. In memory at once, on the disk with the next flush.
   *
   * @throws GatewayError `USER_INPUT` for an entry that `ServerInfoSchema` refuses, `INTERNAL` before `init` or after `close`
   */
  upsert(si: ServerInfo): void {
    this.#assertOpen();
    const entry = checkedCopy(si);
    this.#current = withEntry(this.#current, entry);
    this.#pending.upsert(entry);
    this.#arm();
  }

  /**
   * Removes a server, also one that is set aside in the file under that name.
   *
   * @returns whether there was one
   * @throws GatewayError `INTERNAL` before `init` or after `close`
   */
  remove(name: string): boolean {
    this.#assertOpen();
    const without = withoutName(this.#current, name);
    if (without === this.#current) return false;
    this.#current = without;
    this.#pending.remove(name);
    this.#arm();
    return true;
  }

  /**
   * Writes what has changed; resolves when every change made before this call is durable. Calls that overlap share a pass, but each waits
   * for one that begins after it. Without changes it writes nothing.
   *
   * @throws GatewayError `REGISTRY_IO`; the changes stay, and are tried again with the next flush
   */
  flush(): Promise<void> {
    this.#nextFlush ??= this.#inTurn(() => {
      this.#nextFlush = undefined;
      return this.#writePending();
    });
    return this.#nextFlush;
  }

  /**
   * Reads the file again, if it changed, and takes in what others did; changes of this instance that are not written yet stay. A file that
   * is gone is an empty registry; one that is not JSON (somebody is in the middle of editing it) is logged, and what was last read goes on
   * being served.
   *
   * @throws GatewayError `REGISTRY_IO` when the file is there and cannot be read; nothing changes then
   */
  refresh(): Promise<void> {
    return this.#inTurn(async () => {
      this.#assertInitialised();
      const read = await readRegistry(this.#registryPath, this.#known);
      if (read.kind === "corrupt") {
        this.#reportCorrupt(
          `${read.file} cannot be used: ${read.reason}. Mend it; until then what was read before is served`,
        );
      } else {
        this.#adopt(read);
      }
    });
  }

  /**
   * Writes what has changed and ends: no timer, no write and no change after it. Idempotent. Other instances on the same file are not
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

  async #close(): Promise<void> {
    await this.#initialising?.catch(() => {});
    this.#state = "closed";
    this.#disarm();
    await this.flush();
  }

  async #load(): Promise<void> {
    if (this.#state === "closed") throw closedError();
    try {
      const read = await readRegistry(this.#registryPath);
      if (read.kind === "corrupt") this.#reportCorrupt(await setCorruptAside(read, this.#clock));
      else this.#adopt(read);
    } catch (error) {
      this.#logger.error({ err: error, registryPath: this.#registryPath }, "Failed to load registry");
      throw error;
    }
    this.#state = "ready";
  }

  async #writePending(): Promise<void> {
    if (this.#pending.isEmpty) return;
    // Whatever is changed from here on belongs to the next pass.
    const changes = this.#pending;
    this.#pending = new PendingChanges();
    try {
      const written = await updateRegistry(this.#registryPath, {
        change: (document) => changes.applyTo(document),
        known: this.#known,
        clock: this.#clock,
        lock: this.#lock,
        onCorrupt: (message) => this.#reportCorrupt(message),
      });
      this.#adopt(written);
    } catch (error) {
      changes.append(this.#pending);
      this.#pending = changes;
      this.#arm();
      throw GatewayError.from(error, "REGISTRY_IO", `cannot write ${this.#registryPath}: ${messageOf(error)}`);
    }
    if (this.#pending.isEmpty) this.#disarm();
    this.#logger.info({ registryPath: this.#registryPath }, "Flushed registry to disk");
  }

  #adopt(known: KnownRegistry): void {
    this.#known = known;
    this.#current = this.#pending.applyTo(known.document);
    this.#corrupt = undefined;
    this.#warnings.tell(known.document);
  }

  #reportCorrupt(message: string): void {
    if (this.#corrupt === message) return;
    this.#corrupt = message;
    this.#logger.error({ registryPath: this.#registryPath, reason: message }, "Failed to load registry");
  }

  /** Starts the wait for the periodic flush, unless one runs. Only an instance with changes has a timer. */
  #arm(): void {
    if (this.#state !== "ready" || this.#cancelTimer !== undefined) return;
    this.#cancelTimer = this.#timers.after(this.#flushIntervalMs, () => {
      this.#cancelTimer = undefined;
      this.flush().catch((error: unknown) => {
        this.#logger.warn({ err: error, registryPath: this.#registryPath }, "Registry flush failed");
      });
    });
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  /** One access to the file after the other. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(task);
    this.#lastTurn = turn.catch(() => {});
    return turn;
  }

  #assertInitialised(): void {
    if (this.#state === "new") {
      throw new GatewayError("INTERNAL", "the registry was used before init() had finished");
    }
  }

  #assertOpen(): void {
    this.#assertInitialised();
    if (this.#state === "closed") throw closedError();
  }
}

function closedError(): GatewayError {
  return new GatewayError("INTERNAL", "the registry was used after close()");
}
