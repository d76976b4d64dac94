import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { PackedResult } from "../connectors/upstream.js";
import { acceptsGzip, isElsewhere } from "./accepts-gzip.js";
import { endInOnePiece, ONE_PIECE_BYTES } from "./one-piece.js";

/**
 * Ends a response with a JSON-RPC answer whose result is ready: compressed when the client is on another machine, takes that, and it is ready as well.
 *
 * @param head what comes before the result; a brace comes behind it
 */
export function endWithResult(
  response: ServerResponse,
  head: Buffer,
  result: readonly Buffer[],
  packed: PackedResult | undefined,
): void {
  const isPackable = packed !== undefined && isElsewhere(response.req);
  const isPacked = isPackable && acceptsGzip(response.req.headers["accept-encoding"]);
  const gzip = isPacked ? packed.gzip(head, BRACE) : undefined;
  if (gzip === undefined) end(response, [head, ...result, BRACE], isPackable ? VARY : {});
  else end(response, gzip, GZIP);
}

function end(response: ServerResponse, pieces: readonly Buffer[], more: OutgoingHttpHeaders): void {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  response.writeHead(200, { "content-type": "application/json", "content-length": length, ...more });
  if (length <= ONE_PIECE_BYTES) {
    endInOnePiece(response, Buffer.concat(pieces, length));
    return;
  }
  response.cork();
  for (const piece of pieces) response.write(piece);
  response.end();
  response.uncork();
}

const BRACE = Buffer.from("}");
const VARY = { vary: "accept-encoding" };
const GZIP = { ...VARY, "content-encoding": "gzip" };
