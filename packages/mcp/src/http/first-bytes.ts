import type { ServerResponse } from "node:http";
import { endInOnePiece, ONE_PIECE_BYTES } from "./one-piece.js";

/** The head of an upstream's answer that is passed on as it comes. */
export type PassedHead = Readonly<Record<string, string>>;

/**
 * Sends the head of an answer, and with it the whole of a small one.
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
  if (isWhole) endInOnePiece(response, first);
  return isWhole;
}

/** Whether what follows this head may end anywhere, and go on after what came: an event stream without a length. */
export const mayEndAnywhere = (head: PassedHead): boolean =>
  head["content-length"] === undefined && head["content-type"]?.startsWith("text/event-stream") === true;
