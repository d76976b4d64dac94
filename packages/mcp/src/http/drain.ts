import type { Server } from "node:http";
import { Server as NetServer, type Socket } from "node:net";
import type { Timers } from "@cortex-os/mcp-core";

const SWEEP_MS = 50;

/** What draining works through. */
export interface DrainDeps {
  readonly server: Server;
  readonly timers: Timers;
  /** The server's open connections. */
  readonly sockets: ReadonlySet<Socket>;
  /** Ends what is long-lived in good order; called again and again, because a connection that is still busy may bring more. */
  readonly endStreams: () => void;
}

/**
 * Stops accepting and waits until every request under way is answered and its last byte is out. After `deadlineMs` what is left is cut off.
 *
 * Node's own way does not do here: it cuts off an answer that is complete but not yet taken by its reader, leaves connections open
 * that never sent a request or become idle later, and stops looking for slow ones.
 */
export async function drain({ server, timers, sockets, endStreams }: DrainDeps, deadlineMs: number): Promise<void> {
  const done = new Promise<void>((resolve) => {
    // The plain server's close: the HTTP server's would begin by closing what it takes for idle.
    NetServer.prototype.close.call(server, () => {
      resolve();
    });
  });
  const cancelDeadline = timers.after(deadlineMs, () => {
    server.closeAllConnections();
  });
  let cancelSweep: () => void = () => {};
  const sweep = (): void => {
    endStreams();
    // Not before the second look: a request may be on its way on a connection that seems idle.
    cancelSweep = timers.after(SWEEP_MS, () => {
      for (const socket of sockets) if (isIdle(socket)) socket.destroy();
      sweep();
    });
  };
  sweep();
  await done;
  cancelDeadline();
  cancelSweep();
  // Now the HTTP server's own part: it stops looking for slow connections.
  server.close();
}

/** Whether no request is under way on `socket` and the last byte of every answer is out. Node shows it in `_httpMessage` only. */
function isIdle(socket: Socket): boolean {
  const answering: unknown = Reflect.get(socket, "_httpMessage");
  return answering === undefined || answering === null;
}
