import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { GatewayError } from "@cortex-os/mcp-core";

/** A request whose answer is not complete, and that a shutdown can answer in its stead. */
export interface Unanswered {
  /** Answers with `error`, where that can still be said, and gives up what was under way. Nothing happens when it is answered already. */
  shutDown(error: GatewayError): void;
}

/**
 * What one HTTP front owes its clients: the responses whose last byte is not out, by connection, and the requests among them that wait for
 * somebody else.
 */
export class OpenAnswers {
  /** Who waits puts itself in, and takes itself out when it is answered. */
  readonly unanswered = new Set<Unanswered>();
  readonly #perSocket = new Map<Socket, number>();

  /** Counts a response until its last byte is out or its connection is gone. */
  add(response: ServerResponse): void {
    // The request's: a response lets go of its own before it is closed.
    const { socket } = response.req;
    this.#perSocket.set(socket, (this.#perSocket.get(socket) ?? 0) + 1);
    response.on("close", this.#onClose);
  }

  /** One function for all responses, on the way of every call; it closes over nothing but the counts. */
  readonly #onClose = this.#listener();

  #listener(): (this: ServerResponse) => void {
    const perSocket = this.#perSocket;
    return function onClose() {
      const { socket } = this.req;
      const left = (perSocket.get(socket) ?? 1) - 1;
      if (left > 0) perSocket.set(socket, left);
      else perSocket.delete(socket);
    };
  }

  /** Whether no answer is open on any connection. */
  get isEmpty(): boolean {
    return this.#perSocket.size === 0;
  }

  /** Whether no answer is open on `socket`. */
  isIdle(socket: Socket): boolean {
    return !this.#perSocket.has(socket);
  }

  /** Answers everything that waits with `error`, and says how many that were. */
  shutDown(error: GatewayError): number {
    const waiting = [...this.unanswered];
    for (const one of waiting) one.shutDown(error);
    return waiting.length;
  }
}
