import { backoffDelayMs } from "@cortex-os/mcp-core";
import { lockSettings, type LockOptions, type LockSettings } from "./lock-options.js";
import { LockTaker, type TakenLock } from "./lock-taker.js";

export type { LockOptions } from "./lock-options.js";

// Not proper-lockfile: it calls a lock stale by age, so a paused holder is robbed while it writes and a killed one blocks the others
// for seconds. Here a lock is stale exactly when the process that took it is gone, and then at once; age counts only where asked for, and
// only for a holder that nobody here can see.

/** A lock that was taken. */
export interface Lock {
  /** Unique to this taking; fit to be a part of a file name. */
  readonly token: string;
  /** The tokens of dead holders it was taken over from: what they left half-done can be swept away. */
  readonly abandoned: readonly string[];
  /** Gives it back; a second call does nothing. Rejects with `REGISTRY_IO` when the file cannot be removed. */
  release(): Promise<void>;
}

const BACKOFF = { baseMs: 2, maxMs: 50 };

/**
 * Takes the exclusive lock that is the symbolic link `path`, for a few milliseconds' work that awaits. It is a matter between processes and between callers
 * in one process alike, and is not reentrant.
 *
 * A holder that is gone (SIGKILL, a reboot) is replaced at once; one on another machine or in another container cannot be judged and is
 * waited for, as long as `unjudgedStaleMs` says.
 *
 * @throws GatewayError `REGISTRY_IO` naming the holder when it was not given back within `waitMs`, or when the file cannot be made; the reason of
 * `signal` when that came first
 */
export async function acquireLock(path: string, options: LockOptions = {}): Promise<Lock> {
  const settings = lockSettings(options);
  const abandoned: string[] = [];
  const taker = new LockTaker(path, settings, {
    isSection: false,
    onAbandoned: (token) => {
      abandoned.push(token);
    },
  });
  return whenTaken(taker, settings, ({ token, giveBack }) => ({
    token,
    abandoned,
    release: async () => {
      giveBack();
    },
  }));
}

/** Attempts until the lock is taken, and runs `use` in the same turn of the event loop. */
export async function whenTaken<T>(taker: LockTaker, settings: LockSettings, use: (lock: TakenLock) => T): Promise<T> {
  const { waitMs, timers, monotonic, random, signal } = settings;
  const startedAt = monotonic.elapsedMs();
  for (let attempts = 0; ; attempts++) {
    signal?.throwIfAborted();
    const attempt = taker.attempt();
    if (attempt.lock !== undefined) return use(attempt.lock);
    if (monotonic.elapsedMs() - startedAt >= waitMs) throw taker.heldError(attempt.holder, waitMs);
    await new Promise<void>((resolve) => {
      timers.after(backoffDelayMs(Math.min(attempts, 10), BACKOFF, random), resolve);
    });
  }
}
