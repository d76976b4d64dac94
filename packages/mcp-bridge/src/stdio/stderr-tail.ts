import { LineReader } from "./framing.js";
import { printable } from "../upstream-text.js";
import type { Redactor } from "../redact.js";

/** How much of a child's stderr is kept, and how long one logged line may be, in characters. */
const KEPT = 8 * 1024;

/** A child's last line on stderr as the detail of an error: it may name paths and keys, so no client sees it (design.md, decision 7). */
export function lastWords(line: string): string | undefined {
  return line === "" ? undefined : `its last line on stderr: ${JSON.stringify(line)}`;
}

/** What a {@link StderrTail} works with. */
export interface StderrTailOptions {
  /** Applied before anything is kept or told. */
  readonly redact: Redactor;
  /** Hears each line that is not blank, redacted and printable. */
  readonly onLine: (line: string) => void;
}

/** Drains a child's stderr: each line is told once, and only the last 8 KiB are kept, however much it writes. */
export class StderrTail {
  readonly #reader: LineReader;
  #lines: string[] = [];
  #size = 0;

  constructor({ redact, onLine }: StderrTailOptions) {
    // A cut may go through a secret: with room for the longest one it is seen whole before the line is shortened.
    const maxBytes = KEPT + 4 * redact.longest;
    this.#reader = new LineReader(maxBytes, (bytes) => {
      const line = printable(redact(bytes.toString()), KEPT);
      if (line === "") return;
      this.#keep(line);
      onLine(line);
    });
  }

  /** Takes the next bytes of stderr. */
  push(chunk: Buffer): void {
    this.#reader.push(chunk);
  }

  /** The stream ended: a last line without a newline counts. */
  end(): void {
    this.#reader.end();
  }

  /** The last line that was not blank, for a reason; empty when there was none. */
  get lastLine(): string {
    return printable(this.#lines.at(-1) ?? "");
  }

  /** All that is kept, oldest line first; at most 8 KiB. */
  get text(): string {
    return this.#lines.join("\n");
  }

  #keep(line: string): void {
    this.#lines.push(line);
    this.#size += line.length + 1;
    while (this.#size > KEPT + 1) this.#size -= (this.#lines.shift()?.length ?? 0) + 1;
  }
}
