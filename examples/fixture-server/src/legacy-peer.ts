import type {
  JsonObject,
  JsonRpcMessage,
  JsonRpcNotification,
  JsonRpcRequest,
  JsonRpcResponse,
} from "@cortex-os/mcp-core/wire";
import type { Headers } from "./caller.js";
import { changeNotification, type Change } from "./changes.js";
import type { Exchange } from "./exchange.js";
import type { FixtureServer } from "./fixture-server.js";
import { LegacySession, readHandshake } from "./legacy-session.js";
import { CODE, RpcFailure } from "./rpc-failure.js";

/** What a channel of its own can carry to a client. */
export const WHOLE_CHANNEL = { changes: true, logging: true } as const;

/** The one legacy client at the other end of a channel: a pipe, or an HTTP+SSE stream. */
export class LegacyPeer {
  readonly #server: FixtureServer;
  readonly #write: (message: JsonRpcMessage) => void;
  #session: LegacySession | undefined;

  /** @param write sends a message over the channel */
  constructor(server: FixtureServer, write: (message: JsonRpcMessage) => void) {
    this.#server = server;
    this.#write = write;
  }

  /** Whether the client has opened a session. */
  get opened(): boolean {
    return this.#session !== undefined;
  }

  /** Takes in a notification; those that mean nothing here are ignored. */
  receive(received: JsonRpcNotification): void {
    this.#session?.receive(received);
  }

  /** Takes in an answer of the client to a question of ours. */
  answered(response: JsonRpcResponse): void {
    this.#session?.answered(response);
  }

  /** How this client hears of the change: `undefined` when it does not, not having said that it is ready or not watching. */
  notificationOf(change: Change): JsonRpcNotification | undefined {
    if (this.#session?.initialized !== true || !this.#session.hears(change)) return undefined;
    return changeNotification(change);
  }

  /**
   * The result of a request of this client.
   * @throws RpcFailure as {@link LegacySession.result} does, and −32600 for what needs a session before there is one
   */
  async result(request: JsonRpcRequest, exchange: Exchange, headers: Headers): Promise<JsonObject> {
    const { method } = request;
    if (method === "initialize") return this.#initialize(request);
    if (this.#session !== undefined) return await this.#session.result(this.#server, request, exchange, headers);
    if (method === "ping") return {};
    if (this.#server.offer.method(method) !== undefined) {
      throw new RpcFailure(CODE.invalidRequest, "Not initialized: initialize first");
    }
    throw new RpcFailure(CODE.methodNotFound, `Method not found: ${method}`);
  }

  #initialize(request: JsonRpcRequest): JsonObject {
    const handshake = readHandshake(request.params, this.#server.revisions);
    this.#session = new LegacySession(handshake, WHOLE_CHANNEL, (message) => {
      this.#write(message);
      return true;
    });
    return this.#server.initializeResult(handshake.protocolVersion, WHOLE_CHANNEL);
  }
}
