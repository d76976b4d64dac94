/** Most bytes of answers in JSON that are held at once because they can be passed on only whole. */
export const MAX_HELD_BYTES = 32 * 1024 * 1024;

/** An upstream's answer in JSON on its way into an event stream: it waits until it is whole. */
export class HeldJson {
  readonly #budget: { left: number };
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  /** @param budget what may be held, perhaps shared with others */
  constructor(budget: { left: number } = { left: MAX_HELD_BYTES }) {
    this.#budget = budget;
  }

  /** @returns false when that is more than may be held */
  push(chunk: Uint8Array): boolean {
    this.#budget.left -= chunk.length;
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
    return this.#budget.left >= 0;
  }

  /** The answer as an event, on the one line that it has there: raw line breaks are only white space in JSON. */
  event(): Buffer {
    const text = Buffer.concat(this.#chunks).toString("utf8").trim();
    return Buffer.from(`event: message\ndata: ${text.replaceAll(/[\r\n]+/g, " ")}\n\n`);
  }

  /** Lets go of it. */
  clear(): void {
    this.#budget.left += this.#bytes;
    this.#bytes = 0;
    this.#chunks = [];
  }
}
