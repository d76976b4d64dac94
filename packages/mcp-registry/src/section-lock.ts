import { backoffDelayMs, systemPause } from "@cortex-os/mcp-core";
import { whenTaken } from "./lock.js";
import { lockSettings, type LockOptions, type LockSettings } from "./lock-options.js";
import { LockTaker, type TakenLock } from "./lock-taker.js";

/** How a {@link SectionLock} is waited for. */
export interface SectionLockOptions extends LockOptions {
  /** Stops the thread for a time in milliseconds. @default `systemPause` */
  readonly pause?: (ms: number) => void;
  /** How long {@link SectionLock.runSync} may stop the thread, in milliseconds. @default 5_000 */
  readonly blockMs?: number;
}

/** What may run under a {@link SectionLock}: nothing that goes on after it returned. */
export type Section<T> = (() => T) & (Extract<T, PromiseLike<unknown>> extends never ? unknown : never);

/** Sections are far shorter than a millisecond. In microseconds, as delays are whole numbers. */
const BLOCK_BACKOFF_US = { baseMs: 50, maxMs: 1_000 };

/**
 * The exclusive lock that is the symbolic link `path`, for sections: work under it is synchronous, so it never spans turns of the event loop, and who hangs or
 * is forgotten holds nothing. Any number of instances may share one path, in one process or in many.
 *
 * Holders that are gone are replaced as `acquireLock` does it, and so is what a section of this thread could not give back.
 */
export class SectionLock {
  readonly #settings: LockSettings;
  readonly #taker: LockTaker;
  readonly #pause: (ms: number) => void;
  readonly #blockMs: number;

  constructor(path: string, options: SectionLockOptions = {}) {
    this.#settings = lockSettings(options);
    this.#taker = new LockTaker(path, this.#settings, { isSection: true });
    this.#pause = options.pause ?? systemPause;
    this.#blockMs = options.blockMs ?? 5_000;
  }

  /**
   * Runs `section` under the lock; waits for it without blocking the event loop. The lock is given back before it resolves, also when `section` throws.
   *
   * @throws GatewayError `REGISTRY_IO` as {@link acquireLock} does, `INTERNAL` when called in a section; whatever `section` throws
   */
  async run<T>(section: Section<T>): Promise<T> {
    return whenTaken(this.#taker, this.#settings, (lock) => use(lock, section));
  }

  /**
   * The same at once: blocks the thread while another process or thread is in its section.
   *
   * @throws GatewayError as {@link run} does, `REGISTRY_IO` after `blockMs`
   */
  runSync<T>(section: Section<T>): T {
    const { monotonic, random } = this.#settings;
    let startedAt: number | undefined;
    for (let attempts = 0; ; attempts++) {
      const attempt = this.#taker.attempt();
      if (attempt.lock !== undefined) return use(attempt.lock, section);
      const nowMs = monotonic.elapsedMs();
      startedAt ??= nowMs;
      if (nowMs - startedAt >= this.#blockMs) throw this.#taker.heldError(attempt.holder, this.#blockMs);
      this.#pause(backoffDelayMs(Math.min(attempts, 10), BLOCK_BACKOFF_US, random) / 1_000);
    }
  }
}

/**
 * Runs `section` and gives the lock back. That it cannot be given back is no failure of what was done under it: the next section of this thread
 * takes it away.
 */
function use<T>(lock: TakenLock, section: Section<T>): T {
  try {
    return section();
  } finally {
    try {
      lock.giveBack();
    } catch {
      // See above.
    }
  }
}
