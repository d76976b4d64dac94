import { threadId } from "node:worker_threads";
import { GatewayError } from "@cortex-os/mcp-core";
import type { RegistryFs } from "./fs/registry-fs.js";
import { giveBack, makeLock, olderByMs, readHolder, removeLock, type LockHolder } from "./lock-file.js";
import type { LockSettings } from "./lock-options.js";
import { lockTextStart, newLockToken, shortIdentity, type LockContent } from "./lock-text.js";
import { livenessOf, type Liveness, type ProcessIdentity } from "./process-identity.js";

/** A lock is never there without its holder's name: what stays without one this long was not put there by anybody who will take it away. */
const UNREADABLE_MS = 2_000;

/**
 * The tokens of the sections that this thread is in, of whatever instance. A section never spans turns of the event loop, so a lock that names this thread and
 * is not here was left behind.
 */
const atWork = new Set<string>();

/** A lock that was taken. */
export interface TakenLock {
  readonly token: string;
  /** @throws GatewayError `REGISTRY_IO` */
  readonly giveBack: () => void;
}

/** What came of one attempt: the lock, or who holds it, where nobody does any more by now. */
export type LockAttempt =
  | { readonly lock: TakenLock }
  | { readonly lock?: undefined; readonly holder: LockHolder | undefined };

/** What an instance of {@link LockTaker} is for. */
export interface LockPurpose {
  /** A section of this thread: the lock is given back before the call returns in which it was taken. */
  readonly isSection: boolean;
  /** Told the token of each dead holder that it was taken over from. */
  readonly onAbandoned?: (token: string) => void;
}

/** Takes the lock `path` without ever waiting for it. Remembers between attempts how long a holder has been in the way. */
export class LockTaker {
  readonly #path: string;
  readonly #fs: RegistryFs;
  readonly #settings: LockSettings;
  readonly #purpose: LockPurpose;
  readonly #self: ProcessIdentity;
  readonly #livenessOf: (holder: ProcessIdentity) => Liveness;
  readonly #sectionStart: string;
  readonly #textStart: string;
  /** For a holder that only time can judge, by its key: when it does, in milliseconds of the monotonic clock. */
  readonly #judgedAtMs = new Map<string, number>();

  constructor(path: string, settings: LockSettings, purpose: LockPurpose) {
    this.#path = path;
    this.#fs = settings.fs;
    this.#settings = settings;
    this.#purpose = purpose;
    const self = shortIdentity(settings.self);
    this.#self = self;
    this.#livenessOf = settings.livenessOf ?? ((holder) => livenessOf(holder, self));
    this.#sectionStart = lockTextStart(self, threadId);
    this.#textStart = purpose.isSection ? this.#sectionStart : lockTextStart(self, undefined);
  }

  /**
   * Takes the lock if nobody holds it who is there. A holder that is gone is replaced at once.
   *
   * @throws GatewayError `REGISTRY_IO` when it cannot be made, read or removed; `INTERNAL` for a section within a section of the same lock
   */
  attempt(): LockAttempt {
    const token = newLockToken();
    const text = this.#textStart + token;
    const attempt = this.#take(this.#path, text, this.#purpose.onAbandoned);
    if (attempt !== "taken") {
      const { holder } = attempt;
      if (this.#purpose.isSection && holder?.content !== undefined && atWork.has(holder.content.token))
        throw new GatewayError("INTERNAL", `a section under ${this.#path} was begun within another`);
      return attempt;
    }
    if (this.#judgedAtMs.size > 0) this.#judgedAtMs.clear();
    if (this.#purpose.isSection) atWork.add(token);
    return {
      lock: {
        token,
        giveBack: () => {
          atWork.delete(token);
          giveBack(this.#fs, this.#path, text);
        },
      },
    };
  }

  /** What to tell people when a holder stayed for `waitedMs`. */
  heldError(holder: LockHolder | undefined, waitedMs: number): GatewayError {
    return new GatewayError(
      "REGISTRY_IO",
      `${this.#path} has been held for ${waitedMs} ms by ${this.#whoIs(holder)}: if that is not at work, stop it or remove the file`,
    );
  }

  #whoIs(holder: LockHolder | undefined): string {
    if (holder?.content === undefined) return "somebody who left no name";
    const { pid, host } = holder.content.holder;
    return `process ${pid} on ${host === this.#self.host ? this.#settings.self.host : host}`;
  }

  #take(
    path: string,
    text: string,
    onAbandoned?: (token: string) => void,
  ): "taken" | Exclude<LockAttempt, { lock: TakenLock }> {
    while (!makeLock(this.#fs, path, text)) {
      const holder = readHolder(this.#fs, path);
      if (holder === undefined || !this.#takeAway(path, holder, onAbandoned)) return { holder };
    }
    return "taken";
  }

  /**
   * Removes the lock of a holder that has lost it; whether another attempt is worth it now.
   *
   * Two that find the same dead holder must not both remove "it": the slower would remove the faster one's new lock. So each must first take
   * a lock named after the dead holder, and look again under it: while it holds that, nobody else may remove this holder's file.
   */
  #takeAway(path: string, holder: LockHolder, onAbandoned?: (token: string) => void): boolean {
    const olderThanMs = this.#lostWhenOlderThanMs(holder);
    if (olderThanMs === undefined) return false;
    const guard = `${path}-${holder.key}`;
    const text = this.#sectionStart + newLockToken();
    if (this.#take(guard, text) !== "taken") return false;
    try {
      if (readHolder(this.#fs, path)?.key !== holder.key) return true;
      const missingMs = olderThanMs > 0 ? olderThanMs - olderByMs(this.#fs, path, guard) : 0;
      if (missingMs > 0) {
        this.#judgedAtMs.set(holder.key, this.#settings.monotonic.elapsedMs() + missingMs);
        return false;
      }
      removeLock(this.#fs, path);
    } finally {
      giveBack(this.#fs, guard, text);
    }
    if (holder.content !== undefined) onAbandoned?.(holder.content.token);
    return true;
  }

  /** How old its file must be for a holder to have lost its lock; `undefined` for one that has not, or of which it is not known yet. */
  #lostWhenOlderThanMs({ key, content }: LockHolder): number | undefined {
    if (content === undefined) return this.#isJudged(key, UNREADABLE_MS) ? 0 : undefined;
    if (this.#isLeftOver(content)) return 0;
    const liveness = this.#livenessOf(content.holder);
    if (liveness === "gone") return 0;
    const { unjudgedStaleMs } = this.#settings;
    if (liveness === "alive" || unjudgedStaleMs === undefined) return undefined;
    // To look makes files, so not at each attempt: at once, for what was left behind before, and then when it may have come to that age.
    return this.#isJudged(key, 0) ? unjudgedStaleMs : undefined;
  }

  /** Whether the time has come to judge a holder: `afterMs` after it was first seen, unless something else was said. */
  #isJudged(key: string, afterMs: number): boolean {
    const nowMs = this.#settings.monotonic.elapsedMs();
    const atMs = this.#judgedAtMs.get(key) ?? nowMs + afterMs;
    this.#judgedAtMs.set(key, atMs);
    return nowMs >= atMs;
  }

  #isLeftOver({ holder, thread, token }: LockContent): boolean {
    const self = this.#self;
    if (thread !== threadId || holder.pid !== self.pid || holder.startTime !== self.startTime) return false;
    if (holder.bootId !== self.bootId || holder.namespace !== self.namespace || holder.host !== self.host) return false;
    return !atWork.has(token);
  }
}
