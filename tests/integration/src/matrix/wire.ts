import type { Message } from "./message.js";

/** How a raw client's messages come and go. */
export interface Wire {
  /**
   * Sends a message or a batch; resolves when it is taken, and what it was answered with has been heard where that comes as the answer to the same HTTP request.
   * @returns the HTTP status, where the answer has one
   */
  send(sent: object, signal?: AbortSignal): Promise<number | undefined>;
  /** Tells the server that the request of this id is given up, in the way of the revision; an aborted `send` is one already. */
  readonly cancelsByMessage: boolean;
  /** The client is initialized: what it hears unasked may come from now on. */
  listen(revision: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens a wire; every message that comes is given to `onMessage`. */
export type OpenWire = (onMessage: (message: Message) => void) => Promise<Wire>;
