import type { ServerResponse } from "node:http";

/** Longest body that costs less in one piece with its head than by itself, in bytes. */
export const ONE_PIECE_BYTES = 16 * 1024;

/**
 * Ends a response, whose head was given already, with its whole body: as text in Latin-1, in which every byte is one character, Node hands head and body to the system in one piece
 * (docs/decisions/0024). For bodies up to {@link ONE_PIECE_BYTES}.
 */
export function endInOnePiece(response: ServerResponse, body: Uint8Array): void {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  response.end(bytes.toString("latin1"), "latin1");
}
