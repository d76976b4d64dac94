import { systemClock, type Clock } from "@cortex-os/mcp-core";

/** What a {@link ManifestCache} holds. */
export interface CachedValue<T> {
  readonly value: T;
  /** When it stops being fresh, in milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/**
 * One value with a time to live, and after that time the same value as the last good one (R4).
 *
 * There is never more than one value in it: an older one than the one set last cannot come back. See
 * docs/decisions/0009-manifest-cache.md for how that differs from the plan's sketch.
 */
export class ManifestCache<T> {
  readonly #clock: Clock;
  #cached: CachedValue<T> | undefined;
  #seenMs = Number.NEGATIVE_INFINITY;

  /** @param clock @default the machine's wall clock */
  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** When the value stops, or stopped, being fresh, in milliseconds since the epoch; `undefined` when there is none. */
  get expiresAtMs(): number | undefined {
    this.#look();
    return this.#cached?.expiresAtMs;
  }

  /** The value while it is fresh, else `undefined`: never an expired one, so that whoever gets nothing fetches. */
  get(): T | undefined {
    return this.getStale(0);
  }

  /**
   * The value set last, fresh or not, until it is expired by `staleForMs` milliseconds; then `undefined`. It is kept, though: a later call with a
   * longer bound finds it.
   *
   * @param staleForMs @default no bound
   */
  getStale(staleForMs = Number.POSITIVE_INFINITY): T | undefined {
    const nowMs = this.#look();
    const cached = this.#cached;
    return cached !== undefined && nowMs < cached.expiresAtMs + staleForMs ? cached.value : undefined;
  }

  /**
   * Puts `value` in the place of whatever was there, fresh for `ttlMs` milliseconds from now. With 0 or less, or `NaN`, it is expired at once and
   * the last good value only.
   */
  set(value: T, ttlMs: number): void {
    const nowMs = this.#look();
    this.#cached = { value, expiresAtMs: nowMs + (ttlMs > 0 ? ttlMs : 0) };
  }

  /**
   * Puts `value` in the place of whatever was there, fresh until the very moment `expiresAtMs`, in milliseconds since the epoch: time that goes by on the
   * way here does not move it. A moment that is over, or `NaN`: expired at once and the last good value only.
   */
  setUntil(value: T, expiresAtMs: number): void {
    const nowMs = this.#look();
    this.#cached = { value, expiresAtMs: expiresAtMs > nowMs ? expiresAtMs : nowMs };
  }

  /** Forgets everything, the last good value as well. */
  invalidate(): void {
    this.#cached = undefined;
  }

  /** The time. A clock that was set back since the last look takes the end of the value back with it: its life never gets longer. */
  #look(): number {
    const nowMs = this.#clock.now();
    const backMs = this.#seenMs - nowMs;
    this.#seenMs = nowMs;
    if (this.#cached !== undefined && backMs > 0) {
      this.#cached = { ...this.#cached, expiresAtMs: this.#cached.expiresAtMs - backMs };
    }
    return nowMs;
  }
}
