import type { IncomingMessage, ServerResponse } from "node:http";
import { toJsonRpcError, type GatewayError, type Timers } from "@cortex-os/mcp-core";

/** How much longer, in milliseconds and bytes, a body is read that nobody wants. */
const MAX_WAIT_MS = 1_000;
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Answers 413 in the middle of a body and ends the connection. What is still on its way is read and dropped for a while, because closing a
 * socket with unread bytes resets it, and a client that is still sending then loses the answer.
 */
export function refuseBody(
  request: IncomingMessage,
  response: ServerResponse,
  timers: Timers,
  error: GatewayError,
): void {
  const answer = Buffer.from(JSON.stringify({ jsonrpc: "2.0", error: toJsonRpcError(error) }));
  response.writeHead(413, {
    "content-type": "application/json",
    "content-length": answer.length,
    connection: "close",
  });
  // Complete for the client, but not ended: Node closes the connection at the end.
  response.write(answer);
  let left = MAX_BYTES;
  const finish = (): void => {
    cancel();
    if (request.complete) response.end();
    else request.destroy();
  };
  const cancel = timers.after(MAX_WAIT_MS, finish);
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) finish();
  });
  request.once("end", finish);
  request.once("close", cancel);
}
