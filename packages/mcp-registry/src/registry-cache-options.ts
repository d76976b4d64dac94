import type { Clock, Logger, Monotonic, Timers } from "@cortex-os/mcp-core";
import type { RegistryFs } from "./fs/registry-fs.js";
import type { LockOptions } from "./lock-options.js";

/** Options of a `RegistryMemoryCache`. */
export interface RegistryCacheOptions {
  /** Where `servers.json` is; it and its folder need not exist. A symbolic link is refused. */
  readonly registryPath: string;
  /** How long after a change the snapshot is written by itself, in milliseconds; at least 10, `Infinity` for never; while that fails, after twice the time each, up to a minute. @default 5_000 */
  readonly flushIntervalMs?: number;
  /** @default silent */
  readonly logger?: Logger;
  /** For the periodic flush. @default the system's */
  readonly timers?: Timers;
  /** For the times in the journal and in the names of files that are kept. @default the system's */
  readonly clock?: Clock;
  /** For {@link onFlush}. @default the system's */
  readonly monotonic?: Monotonic;
  /** How the lock between processes is waited for. */
  readonly lock?: LockOptions;
  /** @default the machine's */
  readonly fs?: RegistryFs;
  /** The length in bytes at which a journal is closed and a new one begun. @default 1 MiB */
  readonly journalLimitBytes?: number;
  /** Hears of each flush that wrote: how long it took in milliseconds, or `undefined` for one that failed. */
  readonly onFlush?: (durationMs: number | undefined) => void;
}
