import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Roster, type GatewayError } from "@cortex-os/mcp-core";

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
  readonly unanswered = new Roster<Unanswered>();
  /** The open responses of each connection that has had one; the connection's end takes them away. */
  readonly #perSocket = new Map<Socket, Roster<ServerResponse>>();
  #open = 0;

  /** Counts a response until its last byte is out or its connection is gone. */
  add(response: ServerResponse): void {
    // The request's: a response lets go of its own before it is closed.
    const { socket } = response.req;
    let responses = this.#perSocket.get(socket);
    if (responses === undefined) this.#perSocket.set(socket, (responses = new Roster()));
    responses.add(response);
    this.#open += 1;
    response.on("close", this.#onClose);
  }

  /**
   * A connection is gone. Node tells only the response that had its turn; those that were pipelined behind it would never hear of it, and hold
   * what they wait for for ever.
   */
  gone(socket: Socket): void {
    for (const response of this.#perSocket.get(socket)?.all() ?? []) {
      response.destroy();
      response.emit("close");
    }
    this.#perSocket.delete(socket);
  }

  /** One function for all responses, on the way of every call. */
  readonly #onClose = this.#listener();

  #listener(): (this: ServerResponse) => void {
    const closed = (response: ServerResponse): void => {
      if (this.#perSocket.get(response.req.socket)?.delete(response) === true) this.#open -= 1;
    };
    return function onClose() {
      closed(this);
    };
  }

  /** Whether no answer is open on any connection. */
  get isEmpty(): boolean {
    return this.#open === 0;
  }

  /** Whether no answer is open on `socket`. */
  isIdle(socket: Socket): boolean {
    return (this.#perSocket.get(socket)?.size ?? 0) === 0;
  }

  /** Answers everything that waits with `error`, and says how many that were. */
  shutDown(error: GatewayError): number {
    const waiting = this.unanswered.all();
    for (const one of waiting) one.shutDown(error);
    return waiting.length;
  }
}
