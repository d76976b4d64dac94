import type { JsonRpcMessage } from "@cortex-os/mcp-core/wire";

/** A stream of messages to a client. */
export interface MessageStream {
  /** Does nothing when there is nobody to take it, now or later. */
  send(message: JsonRpcMessage): void;
  /** Ends the stream, with `last` as its last message when given. */
  end(last?: JsonRpcMessage): void;
}
