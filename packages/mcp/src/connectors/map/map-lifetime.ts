import type { Clock, Monotonic } from "@cortex-os/mcp-core";

/** The clocks a lifetime is measured by. */
export interface LifetimeClocks {
  readonly clock: Clock;
  readonly monotonic: Monotonic;
}

/**
 * `fresh`: within its time to live, or confirmed by the publisher since; `stale`: past that, and served because it is the last good one; `expired`: not
 * to be served any more.
 */
export type Lifetime = "fresh" | "stale" | "expired";

/** How urgent it is that somebody looks: from `none` over one time to live of staleness, half and nine tenths of `maxStale`, to its end. */
export const URGENCIES = ["none", "overdue", "half", "nine-tenths", "expired"] as const;

/** One of {@link URGENCIES}. */
export type Urgency = (typeof URGENCIES)[number];

/** The moments of one map, in milliseconds since the epoch. */
export interface MapMoments {
  /** It was signed to be fresh until then. */
  readonly expiresAtMs: number;
  /** Nothing extends its life beyond this. */
  readonly staleUntilMs: number;
  readonly ttlMs: number;
}

/**
 * A clock that starts at `startMs` and goes on by whichever of the wall clock and the monotonic one went further since: set back, it does not stop, and a
 * step forward counts.
 */
export function clockFrom(startMs: number, { clock, monotonic }: LifetimeClocks): Clock {
  const startedMs = monotonic.elapsedMs();
  return { now: () => Math.max(clock.now(), startMs + monotonic.elapsedMs() - startedMs) };
}

/**
 * How long one map may be served (design.md, contracts: Map lifetime; reliability.md, 5.2). A confirmation by the publisher makes it fresh again, and never
 * moves the bound, or whoever can replay a "not modified" could freeze a fleet for ever.
 */
export class MapLifetime {
  readonly #clocks: LifetimeClocks;
  readonly #moments: MapMoments;
  readonly #bound: Clock;
  #fresh: Clock;
  #freshUntilMs: number;

  /** @param startMs what the time is at least: a wall clock that shows less was set back */
  constructor(moments: MapMoments, startMs: number, clocks: LifetimeClocks) {
    this.#moments = moments;
    this.#clocks = clocks;
    this.#bound = clockFrom(startMs, clocks);
    this.#fresh = this.#bound;
    this.#freshUntilMs = moments.expiresAtMs;
  }

  get freshUntilMs(): number {
    return this.#freshUntilMs;
  }

  get staleUntilMs(): number {
    return this.#moments.staleUntilMs;
  }

  /** The time as this map counts it, in milliseconds since the epoch: never less than the time that went by since it was received. */
  get nowMs(): number {
    return Math.max(this.#bound.now(), this.#fresh.now());
  }

  get lifetime(): Lifetime {
    if (this.nowMs >= this.staleUntilMs) return "expired";
    return this.#fresh.now() < this.#freshUntilMs ? "fresh" : "stale";
  }

  get urgency(): Urgency {
    const leftMs = this.staleUntilMs - this.nowMs;
    if (leftMs <= 0) return "expired";
    // A map that is confirmed again and again but never signed anew comes to its bound as well.
    if (leftMs <= this.#maxStaleMs * 0.1) return "nine-tenths";
    if (leftMs <= this.#maxStaleMs * 0.5) return "half";
    return this.#fresh.now() >= this.#freshUntilMs + this.#moments.ttlMs ? "overdue" : "none";
  }

  /** Milliseconds until {@link lifetime} or {@link urgency} changes by itself; `undefined` once it has expired. */
  get changesInMs(): number | undefined {
    const { ttlMs } = this.#moments;
    const freshForMs = this.#freshUntilMs - this.#fresh.now();
    const leftMs = this.staleUntilMs - this.nowMs;
    if (leftMs <= 0) return undefined;
    const changes = [
      freshForMs,
      freshForMs + ttlMs,
      leftMs,
      leftMs - this.#maxStaleMs * 0.1,
      leftMs - this.#maxStaleMs * 0.5,
    ];
    // Never 0: a timer that fires a fraction of a millisecond early must not spin.
    return Math.max(1, Math.ceil(Math.min(...changes.filter((ms) => ms > 0))));
  }

  /** The publisher said just now that this is still its map; it is fresh until then, and never beyond its bound. */
  confirm(freshUntilMs: number): void {
    this.#fresh = clockFrom(this.#clocks.clock.now(), this.#clocks);
    this.#freshUntilMs = Math.min(freshUntilMs, this.staleUntilMs);
  }

  get #maxStaleMs(): number {
    return this.#moments.staleUntilMs - this.#moments.expiresAtMs;
  }
}
