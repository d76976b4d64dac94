const DEFAULT_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
/** After a stream that brought nothing: an upstream that asks for no delay must not be asked as fast as it answers. */
const FRUITLESS_MS = 250;

/** The wait before a stream is resumed, in milliseconds: what the upstream asked for, within bounds. */
export function resumeDelayMs(retryMs: number | undefined, fruitless: boolean): number {
  const askedMs = Math.min(retryMs ?? DEFAULT_RETRY_MS, LONGEST_RETRY_MS);
  return fruitless ? Math.max(askedMs, FRUITLESS_MS) : askedMs;
}

/** How a stream is gone on with. */
export interface NextRequest {
  /** The event to go on after. */
  readonly lastId: string;
  /** The wait before, in milliseconds. */
  readonly delayMs: number;
  /** Whether a client that is back sooner may have it asked sooner: not after a stream that brought nothing. */
  readonly mayHurry: boolean;
}

/**
 * What is known about resuming one answer: a server may end the connection after an event with an id, and has the client ask
 * again (2025-11-25, transports, Sending Messages 6). Revision 2026-07-28 has nothing of the kind.
 */
export class Resumption {
  #lastId = "";
  #retryMs: number | undefined;
  #asked = false;
  #heard = false;

  /** An event's `id` and `retry`, where it has them. */
  note({ id, retryMs }: { readonly id?: string; readonly retryMs?: number }): void {
    if (id !== undefined) this.#lastId = id;
    if (retryMs !== undefined) this.#retryMs = retryMs;
  }

  /** A message came. */
  progressed(): void {
    this.#heard = true;
  }

  /** The stream ended. @returns from where to go on, and when; `undefined` when the upstream gave no id to go on from */
  next(): NextRequest | undefined {
    if (this.#lastId === "") return undefined;
    const isFruitless = this.#asked && !this.#heard;
    const delayMs = resumeDelayMs(this.#retryMs, isFruitless);
    this.#asked = true;
    this.#heard = false;
    return { lastId: this.#lastId, delayMs, mayHurry: !isFruitless };
  }
}
