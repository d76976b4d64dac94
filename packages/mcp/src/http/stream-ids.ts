import { randomBytes } from "node:crypto";

/** Longer than any id of ours: what a client sends is looked at no further. */
const MAX_LENGTH = 64;
const ID = /^([\w-]{16})\.(\d{1,10})\.(\d{1,15})$/;

/** What an event's id says. */
export interface EventPlace {
  /** The number of its stream. */
  readonly stream: number;
  /** The position on it. */
  readonly position: number;
}

/**
 * The event ids of one session: `<the session's word>.<stream>.<position>`. The word is 96 random bits that only the session's own streams say: who learned a
 * session's id and nothing else cannot take a stream over (CVE-2026-33946).
 */
export class StreamIds {
  readonly #word = randomBytes(12).toString("base64url");

  of({ stream, position }: EventPlace): string {
    return `${this.#word}.${stream}.${position}`;
  }

  /** @returns `undefined` for what is no id of this session's */
  read(id: string): EventPlace | undefined {
    const [, word, stream, position] = (id.length <= MAX_LENGTH ? ID.exec(id) : undefined) ?? [];
    return word === this.#word ? { stream: Number(stream), position: Number(position) } : undefined;
  }
}
