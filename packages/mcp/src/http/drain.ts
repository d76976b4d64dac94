import type { Server } from "node:http";
import { Server as NetServer, type Socket } from "node:net";
import type { Timers } from "@cortex-os/mcp-core";
import type { OpenAnswers } from "./open-answers.js";

const SWEEP_MS = 50;
/** How long what is written at the deadline gets to leave, in milliseconds. */
const LAST_WORDS_MS = 200;

/** What draining works through. */
export interface DrainDeps {
  readonly server: Server;
  readonly timers: Timers;
  /** The server's open connections. */
  readonly sockets: ReadonlySet<Socket>;
  readonly answers: OpenAnswers;
  /** Ends what is long-lived in good order; called again and again, because a connection that is still busy may bring more. */
  readonly endStreams: () => void;
  /** Answers what is still waiting when the deadline comes. */
  readonly failUnanswered: () => void;
}

/** How a front is drained. */
export interface DrainPlan {
  /** When requests still under way are failed, in milliseconds from now. */
  readonly deadlineMs: number;
  /**
   * How long new connections are still accepted, in milliseconds: so long a balancer can read on `/readyz` that it should send nobody here any more. @default 0
   */
  readonly minMs?: number;
  /** Goes on accepting throughout, and only waits until nothing is under way. @default false */
  readonly keepListening?: boolean;
  /** Relays are told that another gateway is about to take over, for which they wait. @default false */
  readonly hasSuccessor?: boolean;
}

/**
 * Stops accepting and waits until every request under way is answered and its last byte is out. At the deadline what still waits is told why it gets no
 * answer; 200 ms later what is left is cut off.
 *
 * Node's own way does not do here: it cuts off an answer that is complete but not yet taken by its reader, leaves connections open
 * that never sent a request or become idle later, and stops looking for slow ones.
 */
export async function drain(deps: DrainDeps, plan: DrainPlan): Promise<void> {
  const { server, timers } = deps;
  let isCut = false;
  let cancelCut = timers.after(plan.deadlineMs, () => {
    deps.failUnanswered();
    cancelCut = timers.after(LAST_WORDS_MS, () => {
      isCut = true;
      server.closeAllConnections();
    });
  });
  deps.endStreams();
  // What comes in after the cut is not waited for: nothing would end that.
  if (plan.keepListening === true) await untilAnswered(deps, () => isCut);
  else await untilClosed(deps, Math.min(plan.minMs ?? 0, plan.deadlineMs));
  cancelCut();
}

async function untilAnswered({ answers, endStreams, timers }: DrainDeps, isCut: () => boolean): Promise<void> {
  while (!answers.isEmpty && !isCut()) {
    await pause(timers, SWEEP_MS);
    endStreams();
  }
}

async function untilClosed({ server, timers, sockets, answers, endStreams }: DrainDeps, minMs: number): Promise<void> {
  if (minMs > 0) await pause(timers, minMs);
  const done = new Promise<void>((resolve) => {
    // The plain server's close: the HTTP server's would begin by closing what it takes for idle.
    NetServer.prototype.close.call(server, () => {
      resolve();
    });
  });
  let cancelSweep: () => void = () => {};
  const sweep = (): void => {
    endStreams();
    // Not before the second look: a request may be on its way on a connection that seems idle.
    cancelSweep = timers.after(SWEEP_MS, () => {
      for (const socket of sockets) if (answers.isIdle(socket)) socket.destroy();
      sweep();
    });
  };
  sweep();
  await done;
  cancelSweep();
  // Now the HTTP server's own part: it stops looking for slow connections.
  server.close();
}

async function pause(timers: Timers, ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    timers.after(ms, resolve);
  });
}
