import type { ServerResponse } from "node:http";

/** Answers up to this size are left to the socket's own buffers: watching each would cost more than it saves. */
const UNWATCHED_BYTES = 64 * 1024;

/**
 * Cuts `response` off when its reader takes nothing for `slowReaderMs` milliseconds. For an answer that was handed over whole: Node's own
 * inactivity timer sees progress inside one large write, which `drain` does not. Call it after `end`.
 */
export function cutOffWhenStalled(response: ServerResponse, slowReaderMs: number): void {
  if (response.writableLength <= UNWATCHED_BYTES) return;
  response.setTimeout(slowReaderMs, () => response.destroy());
  const { socket } = response.req;
  // It is the connection's timer: it must not cut off what is answered on it later.
  response.once("finish", () => socket.setTimeout(0));
}
