import { randomBytes } from "node:crypto";
import { open, readFile, stat, unlink } from "node:fs/promises";
import {
  backoffDelayMs,
  GatewayError,
  systemHoldingTimers,
  systemMonotonic,
  systemRandom,
  type Monotonic,
  type RandomSource,
  type Timers,
} from "@cortex-os/mcp-core";
import { errnoOf, registryIoError } from "./io-error.js";
import { livenessOf, ownIdentity, type ProcessIdentity } from "./process-identity.js";

// Not proper-lockfile: it calls a lock stale by age, so a paused holder is robbed while it writes and a killed one blocks the others
// for seconds. Here a lock is stale exactly when the process that took it is gone, and then at once; age counts only where asked for, and
// only for a holder that nobody here can see.

/** How a lock is waited for. */
export interface LockOptions {
  /** How long to wait for another holder, in milliseconds. @default 10_000 */
  readonly waitMs?: number;
  /** Must hold the process open while they wait. @default `systemHoldingTimers` */
  readonly timers?: Timers;
  readonly monotonic?: Monotonic;
  readonly random?: RandomSource;
  /** Who takes the lock. @default this process */
  readonly self?: ProcessIdentity;
  /**
   * A holder that cannot be judged (on another machine, in another container) has lost its lock once the file is this old, in milliseconds, by the clock of the
   * file system: for locks that are held for milliseconds, where waiting for ever for one that was killed is worse than robbing one that hangs. @default never
   */
  readonly unjudgedStaleMs?: number;
  /** Ends the waiting: the lock is then not taken. */
  readonly signal?: AbortSignal;
}

/** A lock that was taken. */
export interface Lock {
  /** Unique to this taking; 32 hex digits. */
  readonly token: string;
  /** The tokens of dead holders it was taken over from: what they left half-done can be swept away. */
  readonly abandoned: readonly string[];
  /** Gives it back; a second call does nothing. Rejects with `REGISTRY_IO` when the file cannot be removed. */
  release(): Promise<void>;
}

/** What a lock file says, as JSON. */
type LockContent = ProcessIdentity & { readonly token: string };

/** What stands in the way: who wrote the lock file, or `undefined` for one that is empty or damaged. */
interface Holder {
  readonly key: string;
  readonly identity: LockContent | undefined;
}

const TOKEN = /^[0-9a-f]{32}$/;
const BACKOFF = { baseMs: 2, maxMs: 50 };
/** A lock file is written right after it was created: one that stays unreadable this long has lost its writer. */
const UNREADABLE_MS = 2_000;

/**
 * Takes the exclusive lock that is the file `path`, for a few milliseconds' work. It is a matter between processes and between callers
 * in one process alike, and is not reentrant.
 *
 * A holder that is gone (SIGKILL, a reboot) is replaced at once; one on another machine or in another container cannot be judged and is
 * waited for, as long as `unjudgedStaleMs` says.
 *
 * @throws GatewayError `REGISTRY_IO` naming the holder when it was not given back within `waitMs`, or when the file cannot be made; the reason of
 * `signal` when that came first
 */
export async function acquireLock(path: string, options: LockOptions = {}): Promise<Lock> {
  const { waitMs = 10_000, timers = systemHoldingTimers, monotonic = systemMonotonic, random = systemRandom } = options;
  const self = options.self ?? ownIdentity();
  const token = randomBytes(16).toString("hex");
  const abandoned: string[] = [];
  const startedAt = monotonic.elapsedMs();
  let seen = { key: "", sinceMs: startedAt };
  for (let attempt = 0; ; attempt++) {
    options.signal?.throwIfAborted();
    if (await createLock(path, { ...self, token }))
      return { token, abandoned, release: () => releaseLock(path, token) };
    const holder = await readHolder(path);
    const nowMs = monotonic.elapsedMs();
    if (holder !== undefined) {
      const isNew = holder.key !== seen.key;
      if (isNew) seen = { key: holder.key, sinceMs: nowMs };
      const gone = isGone(holder, self, nowMs - seen.sinceMs);
      // Looked at once for each call: it is for what was left behind before it, and makes files.
      const olderThanMs = gone ? 0 : isNew && isUnjudged(holder, self) ? options.unjudgedStaleMs : undefined;
      if (olderThanMs !== undefined) {
        const { identity } = holder;
        const took = await takeAway(path, holder, options, olderThanMs);
        if (took && identity !== undefined) abandoned.push(identity.token);
        if (took || gone) continue;
      }
    }
    if (nowMs - startedAt >= waitMs) throw lockedError(path, holder, waitMs);
    await new Promise<void>((resolve) => {
      timers.after(backoffDelayMs(Math.min(attempt, 10), BACKOFF, random), resolve);
    });
  }
}

/** Makes the file unless there is one; whether it did. */
async function createLock(path: string, content: LockContent): Promise<boolean> {
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(JSON.stringify(content));
    } catch (error) {
      await unlink(path).catch(() => {});
      throw error;
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw registryIoError("create the lock", path, error);
  }
}

async function releaseLock(path: string, token: string): Promise<void> {
  try {
    const holder = await readHolder(path);
    // Somebody may have removed the file by hand, and somebody else may hold it now.
    if (holder?.key === token) await unlink(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw registryIoError("remove the lock", path, error);
  }
}

/** Who holds the lock; `undefined` when nobody does any more. */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const text = await readFile(path, "utf8");
    const identity = parseHolder(text);
    if (identity !== undefined) return { key: identity.token, identity };
    const { ino, mtimeNs } = await stat(path, { bigint: true });
    return { key: `unreadable-${ino}-${mtimeNs}`, identity: undefined };
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw registryIoError("read the lock", path, error);
  }
}

function parseHolder(text: string): Holder["identity"] {
  try {
    const value: unknown = JSON.parse(text);
    return isLockContent(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isLockContent(value: unknown): value is LockContent {
  if (typeof value !== "object" || value === null) return false;
  // The token becomes a part of file names.
  if (!("pid" in value && typeof value.pid === "number")) return false;
  if (!("token" in value && typeof value.token === "string" && TOKEN.test(value.token))) return false;
  const texts = new Map<string, unknown>(Object.entries(value));
  return ["host", "bootId", "namespace", "startTime"].every((name) => typeof texts.get(name) === "string");
}

function isGone(holder: Holder, self: ProcessIdentity, unchangedMs: number): boolean {
  if (holder.identity === undefined) return unchangedMs >= UNREADABLE_MS;
  return livenessOf(holder.identity, self) === "gone";
}

const isUnjudged = ({ identity }: Holder, self: ProcessIdentity): boolean =>
  identity !== undefined && livenessOf(identity, self) === "unknown";

/**
 * Removes the lock of a holder that is gone, or of any that is at least `olderThanMs` old; whether this call did it.
 *
 * Two that find the same dead holder must not both remove "it": the slower would remove the faster one's new lock. So each must first take
 * a lock named after the dead holder, and look again under it: while it holds that, nobody else may remove this holder's file.
 */
async function takeAway(path: string, holder: Holder, options: LockOptions, olderThanMs: number): Promise<boolean> {
  const guardPath = `${path}-${holder.key}`;
  const guard = await acquireLock(guardPath, options);
  try {
    if ((await readHolder(path))?.key !== holder.key) return false;
    if (olderThanMs > 0 && (await agedMs(path, guardPath)) < olderThanMs) return false;
    await unlink(path);
    return true;
  } finally {
    await guard.release();
  }
}

/** How much older a file is than one that was just made beside it: both by the clock of whoever keeps the files, which is not ours on a network. */
async function agedMs(file: string, justMade: string): Promise<number> {
  try {
    const [then, now] = await Promise.all([stat(file), stat(justMade)]);
    return now.mtimeMs - then.mtimeMs;
  } catch (error) {
    // Given back by now: nothing to take away.
    if (errnoOf(error) === "ENOENT") return 0;
    throw registryIoError("read the lock", file, error);
  }
}

function lockedError(path: string, holder: Holder | undefined, waitMs: number): GatewayError {
  const identity = holder?.identity;
  const who = identity === undefined ? "somebody who left no name" : `process ${identity.pid} on ${identity.host}`;
  return new GatewayError(
    "REGISTRY_IO",
    `${path} has been held for ${waitMs} ms by ${who}: if that is not at work, stop it or remove the file`,
  );
}
