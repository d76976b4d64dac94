import type { JsonRpcMessage, JsonRpcNotification, JsonRpcResponse } from "@cortex-os/mcp-core/wire";
import type { CallScope } from "./call-scope.js";

/** The way back to the client that one request has. */
export interface Exchange {
  readonly scope: CallScope;
  /** Sends a notification ahead of the answer; does nothing once the request is cancelled. */
  notify(notification: JsonRpcNotification): void;
  /**
   * Sends a question ahead of the answer (legacy), or takes one back, which a cancelled request may do still.
   * @returns whether there is a stream to carry it
   */
  ask(message: JsonRpcMessage): boolean;
  /** Closes the connection but not the stream, where the client can come back for the rest; does nothing anywhere else. */
  disconnect(): void;
}

/** An answer with the HTTP status it goes out under. */
export interface Answer {
  readonly message: JsonRpcResponse;
  readonly httpStatus: number;
}

/** What the channel to a client can carry besides answers. */
export interface ChannelFeatures {
  /** Whether it can tell of changes: that a list is another one now, or a resource. */
  readonly changes: boolean;
  /** Whether it can carry log messages. */
  readonly logging: boolean;
}
