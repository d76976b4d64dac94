/** What is wrong with the body of an answer; `undefined` when nothing is. */
export type Judge = (body: string) => string | undefined;

const SHOWN_CHARACTERS = 200;

/**
 * Checks every answer of one connection. A body is judged once; one with the same bytes was judged already, and comparing bytes costs the load generator next to nothing.
 */
export class AnswerCheck {
  readonly #judge: Judge;
  #good: Buffer | undefined;
  /** How far this answer is the same as the good one. */
  #same = 0;
  /** This answer from its beginning, once it is known to be another one. */
  #pieces: Buffer[] | undefined;

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  body(piece: Buffer): void {
    if (this.#pieces !== undefined) {
      this.#pieces.push(piece);
      return;
    }
    const good = this.#good;
    const end = this.#same + piece.length;
    if (good !== undefined && end <= good.length && good.compare(piece, 0, piece.length, this.#same, end) === 0) {
      this.#same = end;
      return;
    }
    this.#pieces = [...this.#sameAsGood(), piece];
  }

  /** The answer is whole. @throws Error when it is not a good one: a benchmark of errors measures nothing */
  end(status: number): void {
    const isSame = this.#pieces === undefined && this.#good !== undefined && this.#same === this.#good.length;
    if (!isSame || status !== 200) {
      const body = Buffer.concat(this.#pieces ?? this.#sameAsGood());
      const text = body.toString();
      const complaint = status === 200 ? this.#judge(text) : "not 200";
      if (complaint !== undefined)
        throw new Error(`answered ${status}, ${complaint}: ${text.slice(0, SHOWN_CHARACTERS)}`);
      this.#good = body;
    }
    this.#same = 0;
    this.#pieces = undefined;
  }

  #sameAsGood(): Buffer[] {
    return this.#good === undefined ? [] : [this.#good.subarray(0, this.#same)];
  }
}
