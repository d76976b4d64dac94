import type { KeptAnswer } from "./kept-answer.js";

/** A point in time, by both clocks. */
export interface Moment {
  readonly wallMs: number;
  readonly elapsedMs: number;
}

/** What an {@link AnswerFill} needs of the store. */
export interface FillHost {
  /** Largest answer that is worth reading along, in bytes. */
  readonly maxAnswerBytes: number;
  now(): Moment;
  /** @returns false when there is no room to hold so much more */
  hold(bytes: number): boolean;
  release(bytes: number): void;
}

/** An answer on its way from the upstream, which may be kept when it is there. Over once it was kept, given up, or overtaken by a change. */
export class AnswerFill {
  readonly #host: FillHost;
  readonly #keep: (answer: KeptAnswer, asked: Moment) => void;
  readonly #asked: Moment;
  /** The resource that is read, as the upstream calls it. */
  readonly uri: string;
  /** Called once, when it is over. */
  onEnd: () => void = () => {};
  #heldBytes = 0;
  #isOver = false;

  /** @param keep is given the answer, if one comes that may be kept, and when it was asked for */
  constructor(host: FillHost, uri: string, keep: (answer: KeptAnswer, asked: Moment) => void) {
    this.#host = host;
    this.#keep = keep;
    // The answer is at most as old as the question: counted from there, nobody is promised more than is true.
    this.#asked = host.now();
    this.uri = uri;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** So many bytes more of it are held until it is whole. @returns false when they may not be: it is over then */
  hold(bytes: number): boolean {
    if (this.#isOver) return false;
    const fits = this.#heldBytes + bytes <= this.#host.maxAnswerBytes && this.#host.hold(bytes);
    if (fits) this.#heldBytes += bytes;
    else this.end();
    return fits;
  }

  /** It is there. */
  keep(answer: KeptAnswer | undefined): void {
    if (this.#isOver) return;
    this.end();
    if (answer !== undefined && answer.members.length <= this.#host.maxAnswerBytes) this.#keep(answer, this.#asked);
  }

  /** Nothing comes of it. Idempotent. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#host.release(this.#heldBytes);
    this.onEnd();
  }
}
