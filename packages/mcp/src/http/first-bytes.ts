import type { ServerResponse } from "node:http";

/** Longest answer that is sent in one piece with its head, in bytes. */
const ONE_PIECE_BYTES = 16 * 1024;

/** The head of an upstream's answer that is passed on as it comes. */
export type PassedHead = Readonly<Record<string, string>>;

/**
 * Sends the head of an answer, and with it the whole of a small one: as one text in Latin-1, in which every byte is one character, Node hands it to the system in one
 * piece (docs/decisions/0024).
 *
 * @param first the first of its bytes
 * @returns whether that was all of it: the response is ended
 */
export function sendFirstBytes(
  response: ServerResponse,
  status: number,
  head: PassedHead | undefined,
  first: Uint8Array,
): boolean {
  const isWhole = first.length <= ONE_PIECE_BYTES && Number(head?.["content-length"]) === first.length;
  response.writeHead(status, head);
  if (isWhole) response.end(asBuffer(first).toString("latin1"), "latin1");
  return isWhole;
}

const asBuffer = (chunk: Uint8Array): Buffer =>
  Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);

/** Whether what follows this head may end anywhere, and go on after what came: an event stream without a length. */
export const mayEndAnywhere = (head: PassedHead): boolean =>
  head["content-length"] === undefined && head["content-type"]?.startsWith("text/event-stream") === true;
