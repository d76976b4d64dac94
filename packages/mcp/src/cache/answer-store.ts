import type { Clock, Monotonic } from "@cortex-os/mcp-core";
import type { Moment } from "./answer-fill.js";
import { AnswerShelf, type ShelfEntry, type ShelfHost } from "./answer-shelf.js";
import { remainingTtlMs } from "./kept-answer.js";

/** Hears what becomes of answers that are kept, or could have been. */
export interface CacheObserver {
  /** A request was answered from what is kept. */
  cacheHit(): void;
  /** A request that could have been was not. */
  cacheMiss(): void;
  /** An answer that was still good made room for others. */
  cacheEvicted(): void;
}

/** What an {@link AnswerStore} works through. */
export interface AnswerStoreDeps {
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly observer: CacheObserver;
}

/** {@link AnswerStore}'s bound unless another is set, in bytes. */
export const DEFAULT_CACHE_BYTES = 32 * 1024 * 1024;
/** Largest answer that is kept, in bytes; of a small store an eighth. */
const MAX_ANSWER_BYTES = 1024 * 1024;
/**
 * Answers of all connectors that may be given once more, within one bound in bytes; the one that was not used for longest makes room. What is being read from an
 * upstream to be kept counts as well, and takes a quarter of the bound at most.
 */
export class AnswerStore implements ShelfHost {
  readonly #deps: AnswerStoreDeps;
  /** The last one was used most recently. */
  readonly #entries = new Set<ShelfEntry>();
  #maxBytes: number;
  #bytes = 0;
  #heldBytes = 0;

  /** @param maxBytes 0 keeps nothing */
  constructor(maxBytes: number, deps: AnswerStoreDeps) {
    this.#maxBytes = maxBytes;
    this.#deps = deps;
  }

  get isOff(): boolean {
    return this.#maxBytes === 0;
  }

  /** What is kept takes so much, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Largest answer that is worth reading along. */
  get maxAnswerBytes(): number {
    return Math.min(MAX_ANSWER_BYTES, this.#maxBytes / 8);
  }

  get observer(): CacheObserver {
    return this.#deps.observer;
  }

  /** Another bound, from now on. */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#fit();
  }

  /** For what one upstream answers, as long as it is the same one. */
  shelf(): AnswerShelf {
    return new AnswerShelf(this);
  }

  now(): Moment {
    return { wallMs: this.#deps.clock.now(), elapsedMs: this.#deps.monotonic.elapsedMs() };
  }

  /**
   * How long ago that was. The monotonic clock stands still while the machine sleeps, the other one can be set: the greater age is the safe one.
   */
  ageMs(moment: Moment): number {
    const now = this.now();
    return Math.max(now.elapsedMs - moment.elapsedMs, now.wallMs - moment.wallMs);
  }

  /** @returns false when there is no room to hold so much more */
  hold(bytes: number): boolean {
    if (this.#heldBytes + bytes > this.#maxBytes / 4) return false;
    this.#heldBytes += bytes;
    this.#fit();
    return true;
  }

  release(bytes: number): void {
    this.#heldBytes -= bytes;
  }

  add(entry: ShelfEntry): void {
    this.#entries.add(entry);
    this.#bytes += entry.bytes;
    this.#fit();
  }

  used(entry: ShelfEntry): void {
    this.#entries.delete(entry);
    this.#entries.add(entry);
  }

  remove(entry: ShelfEntry): void {
    if (this.#entries.delete(entry)) this.#bytes -= entry.bytes;
  }

  #fit(): void {
    for (const entry of this.#entries) {
      if (this.#bytes + this.#heldBytes <= this.#maxBytes) return;
      if (remainingTtlMs(entry.answer.ttlMs, this.ageMs(entry.asked)) > 0) this.#deps.observer.cacheEvicted();
      entry.shelf.forget(entry);
    }
  }
}
