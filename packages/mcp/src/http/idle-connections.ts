import type { Socket } from "node:net";
import type { Timers } from "@cortex-os/mcp-core";
import type { OpenAnswers } from "./open-answers.js";

/** How often it is looked: a connection that is found idle twice, and has said nothing between, is closed. */
const LOOK_MS = 60_000;

/**
 * Closes connections that nobody has used for one to two minutes. Node's own way, a timer that is set and taken back with every answer, costs a small answer a
 * twentieth of its time, and by default closes after five seconds: while some clients are just about to use the connection again (docs/decisions/0024).
 */
export class IdleConnections {
  readonly #timers: Timers;
  readonly #sockets: ReadonlySet<Socket>;
  readonly #answers: OpenAnswers;
  /** How much those had said that were idle when it was looked last. */
  readonly #idle = new WeakMap<Socket, number>();
  #cancel: (() => void) | undefined;

  /** @param sockets those of the server */
  constructor(timers: Timers, sockets: ReadonlySet<Socket>, answers: OpenAnswers) {
    this.#timers = timers;
    this.#sockets = sockets;
    this.#answers = answers;
  }

  /** There is a connection: from now on it is looked, as long as there is one. */
  connected(): void {
    this.#cancel ??= this.#timers.after(LOOK_MS, () => {
      this.#cancel = undefined;
      for (const socket of [...this.#sockets]) this.#look(socket);
      if (this.#sockets.size > 0) this.connected();
    });
  }

  /** Nothing is closed any more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #look(socket: Socket): void {
    const { bytesRead } = socket;
    if (!this.#answers.isIdle(socket)) this.#idle.delete(socket);
    else if (this.#idle.get(socket) === bytesRead) socket.destroy();
    else this.#idle.set(socket, bytesRead);
  }
}
