import {
  systemHoldingTimers,
  systemMonotonic,
  systemRandom,
  type Monotonic,
  type RandomSource,
  type Timers,
} from "@cortex-os/mcp-core";
import { nodeFs } from "./fs/node-fs.js";
import type { RegistryFs } from "./fs/registry-fs.js";
import { ownIdentity, type Liveness, type ProcessIdentity } from "./process-identity.js";

/** How a lock is waited for. */
export interface LockOptions {
  /** How long to wait for another holder, in milliseconds. @default 10_000 */
  readonly waitMs?: number;
  /** Must hold the process open while they wait. @default `systemHoldingTimers` */
  readonly timers?: Timers;
  readonly monotonic?: Monotonic;
  readonly random?: RandomSource;
  /** Where the lock is. @default the machine's file system */
  readonly fs?: RegistryFs;
  /** Who takes the lock. @default this process */
  readonly self?: ProcessIdentity;
  /** Whether a holder is still there. @default what the machine says, as far as `self` can see */
  readonly livenessOf?: (holder: ProcessIdentity) => Liveness;
  /**
   * A holder that cannot be judged (on another machine, in another container) has lost its lock once the file is this old, in milliseconds, by the clock of the
   * file system: for locks that are held for milliseconds, where waiting for ever for one that was killed is worse than robbing one that hangs. @default never
   */
  readonly unjudgedStaleMs?: number;
  /** Ends the waiting: the lock is then not taken. */
  readonly signal?: AbortSignal;
}

/** {@link LockOptions} in which everything has its value. */
export type LockSettings = Required<Omit<LockOptions, "livenessOf" | "unjudgedStaleMs" | "signal">> &
  Pick<LockOptions, "livenessOf" | "unjudgedStaleMs" | "signal">;

/** Fills in what is not said. */
export function lockSettings(options: LockOptions): LockSettings {
  return {
    ...options,
    waitMs: options.waitMs ?? 10_000,
    timers: options.timers ?? systemHoldingTimers,
    monotonic: options.monotonic ?? systemMonotonic,
    random: options.random ?? systemRandom,
    fs: options.fs ?? nodeFs,
    self: options.self ?? ownIdentity(),
  };
}
