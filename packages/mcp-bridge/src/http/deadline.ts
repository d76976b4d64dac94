import type { Monotonic, Timers } from "@cortex-os/mcp-core";

/** How long one request may take, in milliseconds. */
export interface Limits {
  /** Longest silence. */
  readonly idleMs: number;
  /** Longest duration altogether. */
  readonly maxMs: number;
}

/** A limit on silence and a limit on the whole. It has no timer of its own: a {@link DeadlineWatch} looks at it when its time may be over. */
export class Deadline {
  readonly #monotonic: Monotonic;
  readonly #limits: Limits;
  readonly #startedMs: number;
  /** When it is over at the earliest, on the monotonic clock. */
  readonly firstDueMs: number;
  #lastMs: number;
  #holds = 0;

  constructor(monotonic: Monotonic, limits: Limits) {
    this.#monotonic = monotonic;
    this.#limits = limits;
    this.#startedMs = monotonic.elapsedMs();
    this.#lastMs = this.#startedMs;
    this.firstDueMs = this.#startedMs + Math.min(limits.idleMs, limits.maxMs);
  }

  /** How long from `nowMs` on it cannot be over, in milliseconds; under one: it is over, for a timer may fire a fraction early. */
  leftMs(nowMs: number): number {
    return Math.min(this.#idleLeftMs(nowMs), this.#wholeLeftMs(nowMs));
  }

  /** The limit that was reached, in milliseconds. */
  reachedMs(nowMs: number): number {
    return this.#wholeLeftMs(nowMs) < 1 ? this.#limits.maxMs : this.#limits.idleMs;
  }

  /** Something came: the silence begins anew. */
  touch(): void {
    this.#lastMs = this.#monotonic.elapsedMs();
  }

  /** Silence is as it should be, until what is returned is called: then it begins anew. The limit on the whole goes on. */
  hold(): () => void {
    this.#holds += 1;
    return () => {
      this.#holds -= 1;
      this.touch();
    };
  }

  #idleLeftMs(nowMs: number): number {
    return (this.#holds > 0 ? nowMs : this.#lastMs) + this.#limits.idleMs - nowMs;
  }

  #wholeLeftMs(nowMs: number): number {
    return this.#startedMs + this.#limits.maxMs - nowMs;
  }
}

/** Something that has a deadline. */
export interface Expiring {
  /** Whether it waits for nothing any more. */
  readonly done: boolean;
  readonly deadline: Deadline;
  /** Its time is over. @param limitMs the limit that was reached, in milliseconds */
  expired(limitMs: number): void;
}

/**
 * Watches the deadlines of all requests of a link with one timer: while others are under way, a request that is answered in time, as nearly all are, arms and cancels nothing (R18).
 * Activity only notes the time, so that a stream of thousands of chunks re-arms nothing either.
 */
export class DeadlineWatch {
  readonly #ports: { readonly timers: Timers; readonly monotonic: Monotonic };
  readonly #watched: () => readonly Expiring[];
  /** When the timer looks next, on the monotonic clock. */
  #looksMs = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;

  /** @param watched all that may have a deadline now */
  constructor(ports: { readonly timers: Timers; readonly monotonic: Monotonic }, watched: () => readonly Expiring[]) {
    this.#ports = ports;
    this.#watched = watched;
  }

  /** There is one more. */
  begun({ deadline }: Expiring): void {
    if (deadline.firstDueMs >= this.#looksMs) return;
    const nowMs = this.#ports.monotonic.elapsedMs();
    this.#arm(nowMs, deadline.firstDueMs - nowMs);
  }

  /** Nothing is watched any more, until something begins. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#looksMs = Number.POSITIVE_INFINITY;
  }

  #arm(nowMs: number, leftMs: number): void {
    this.#cancel?.();
    this.#looksMs = nowMs + leftMs;
    this.#cancel = this.#ports.timers.after(Math.max(0, Math.ceil(leftMs)), () => {
      this.stop();
      this.#look(this.#ports.monotonic.elapsedMs());
    });
  }

  #look(nowMs: number): void {
    for (const one of this.#watched()) {
      if (one.done) continue;
      const leftMs = one.deadline.leftMs(nowMs);
      if (leftMs < 1) one.expired(one.deadline.reachedMs(nowMs));
      else if (nowMs + leftMs < this.#looksMs) this.#arm(nowMs, leftMs);
    }
  }
}
