import type { JsonRpcMessage, JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import { CallScope } from "../call-scope.js";
import type { Exchange } from "../fixture-server.js";

/** One request that came over a pipe which all requests share. */
export class StdioExchange implements Exchange {
  readonly scope = new CallScope();
  readonly #write: (message: JsonRpcMessage) => void;

  constructor(write: (message: JsonRpcMessage) => void) {
    this.#write = write;
  }

  notify(notification: JsonRpcNotification): void {
    if (!this.scope.cancelled) this.#write(notification);
  }
}
