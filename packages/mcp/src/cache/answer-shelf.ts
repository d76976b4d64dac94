import { AnswerFill, type FillHost, type Moment } from "./answer-fill.js";
import { remainingTtlMs, type KeptAnswer } from "./kept-answer.js";

/** What an entry takes beside its answer and its name, in bytes: an estimate. */
const OVERHEAD_BYTES = 400;

/** One answer that is kept. */
export interface ShelfEntry {
  readonly shelf: AnswerShelf;
  readonly name: string;
  readonly uri: string;
  readonly answer: KeptAnswer;
  readonly asked: Moment;
  readonly bytes: number;
}

/** What is looked for, and for whom. */
export interface Wanted {
  /** The request's digest. */
  readonly digest: string;
  /** The resource, as the upstream calls it. */
  readonly uri: string;
  /** Whose a `private` answer is. */
  readonly owner: string;
  /** Whether a `public` one is for everybody: not from a process that only its owner talks to, which cannot know. */
  readonly isShared: boolean;
}

/** An answer that is good, and for how long yet. */
export interface FoundAnswer {
  readonly answer: KeptAnswer;
  /** At least 1. */
  readonly ttlMs: number;
}

/** What an {@link AnswerShelf} needs of the store. */
export interface ShelfHost extends FillHost {
  ageMs(moment: Moment): number;
  add(entry: ShelfEntry): void;
  used(entry: ShelfEntry): void;
  remove(entry: ShelfEntry): void;
}

/** The answers of one upstream. What it told before it was ended is not given any more. */
export class AnswerShelf {
  readonly #host: ShelfHost;
  readonly #entries = new Map<string, ShelfEntry>();
  readonly #filling = new Set<AnswerFill>();
  #ended = false;

  constructor(host: ShelfHost) {
    this.#host = host;
  }

  /** An answer to the same request, if there is one that is still good. */
  find({ digest, owner, isShared }: Wanted): FoundAnswer | undefined {
    const entry = (isShared ? this.#entries.get(digest) : undefined) ?? this.#entries.get(digest + owner);
    if (entry === undefined) return undefined;
    const ttlMs = remainingTtlMs(entry.answer.ttlMs, this.#host.ageMs(entry.asked));
    if (ttlMs === 0) {
      this.forget(entry);
      return undefined;
    }
    this.#host.used(entry);
    return { answer: entry.answer, ttlMs };
  }

  /** The upstream is asked now; what it answers may be kept. */
  fill(wanted: Wanted): AnswerFill {
    const fill = new AnswerFill(this.#host, wanted.uri, (answer, asked) => {
      this.#keep(wanted, answer, asked);
    });
    this.#filling.add(fill);
    fill.onEnd = () => this.#filling.delete(fill);
    return fill;
  }

  /** A resource changed, perhaps as a part of another one or with parts of its own (2025-11-25, Resources); without a URI, all may have. */
  invalidate(uri?: string): void {
    const isOf = (other: string): boolean => uri === undefined || other.startsWith(uri) || uri.startsWith(other);
    for (const entry of this.#entries.values()) if (isOf(entry.uri)) this.forget(entry);
    // What is being answered may have been read before the change.
    for (const fill of this.#filling) if (isOf(fill.uri)) fill.end();
  }

  /** Forgets everything, for good. */
  end(): void {
    this.invalidate();
    this.#ended = true;
  }

  forget(entry: ShelfEntry): void {
    if (this.#entries.get(entry.name) === entry) this.#entries.delete(entry.name);
    this.#host.remove(entry);
  }

  #keep({ digest, uri, owner, isShared }: Wanted, answer: KeptAnswer, asked: Moment): void {
    if (this.#ended) return;
    const name = isShared && answer.cacheScope === "public" ? digest : digest + owner;
    // The answer to the newest question is the only one, also when it came first.
    const before = [digest, digest + owner].flatMap((known) => this.#entries.get(known) ?? []);
    if (before.some((entry) => entry.asked.elapsedMs > asked.elapsedMs)) return;
    for (const entry of before) this.forget(entry);
    const bytes = answer.members.length + 2 * (name.length + uri.length) + OVERHEAD_BYTES;
    const entry = { shelf: this, name, uri, answer, asked, bytes };
    this.#entries.set(name, entry);
    this.#host.add(entry);
  }
}
