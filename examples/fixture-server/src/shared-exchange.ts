import type { JsonRpcMessage, JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import { CallScope } from "./call-scope.js";
import type { Exchange } from "./exchange.js";

/** One request that came over a channel which all requests of its client share. */
export class SharedExchange implements Exchange {
  readonly scope = new CallScope();
  readonly #write: (message: JsonRpcMessage) => void;

  constructor(write: (message: JsonRpcMessage) => void) {
    this.#write = write;
  }

  notify(notification: JsonRpcNotification): void {
    if (!this.scope.cancelled) this.#write(notification);
  }

  ask(message: JsonRpcMessage): boolean {
    this.#write(message);
    return true;
  }

  disconnect(): void {
    // The channel is everybody's.
  }
}
