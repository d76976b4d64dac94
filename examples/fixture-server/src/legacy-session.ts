import {
  isJsonObject,
  type JsonObject,
  type JsonRpcMessage,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonRpcResponse,
} from "@cortex-os/mcp-core/wire";
import { Asked } from "./asking/asked.js";
import { legacyAsk } from "./asking/legacy-asking.js";
import type { Ask } from "./asking/question.js";
import type { Caller, Headers } from "./caller.js";
import type { Change } from "./changes.js";
import type { ChannelFeatures, Exchange } from "./exchange.js";
import type { FixtureServer } from "./fixture-server.js";
import { InFlight } from "./in-flight.js";
import { isLogLevel, type LogLevel } from "./log-level.js";
import type { Offer } from "./offer.js";
import type { LegacyRevisions } from "./legacy-revisions.js";
import { CODE, RpcFailure } from "./rpc-failure.js";

/** What a legacy client said in `initialize`. */
export interface LegacyHandshake {
  readonly protocolVersion: string;
  readonly clientInfo: JsonObject | undefined;
  readonly clientCapabilities: JsonObject;
}

/**
 * Reads the parameters of `initialize` and settles on a revision: the client's, or our newest legacy one when we do not
 * speak the client's (2025-11-25, lifecycle, Version Negotiation).
 * @param spoken the revisions we speak, newest first
 * @throws RpcFailure −32602 when they are malformed
 */
export function readHandshake(params: JsonObject | undefined, spoken: LegacyRevisions): LegacyHandshake {
  const { protocolVersion, capabilities, clientInfo } = params ?? {};
  if (typeof protocolVersion !== "string" || !isJsonObject(capabilities) || !isJsonObject(clientInfo)) {
    throw new RpcFailure(CODE.invalidParams, "initialize needs protocolVersion, capabilities and clientInfo");
  }
  const settled = spoken.includes(protocolVersion) ? protocolVersion : spoken[0];
  return { protocolVersion: settled, clientInfo, clientCapabilities: capabilities };
}

/** One legacy client from its `initialize` on: an HTTP session, or the other end of a channel of its own. */
export class LegacySession {
  readonly inFlight = new InFlight();
  readonly #handshake: LegacyHandshake;
  readonly #channel: ChannelFeatures | undefined;
  readonly #push: (message: JsonRpcMessage) => boolean;
  readonly #asked = new Asked();
  readonly #watched = new Set<string>();
  #initialized = false;
  #logLevel: LogLevel | undefined;

  /**
   * @param channel what can be told to the client; `undefined` on a sessionless server, where nothing outlives the request
   * @param push sends a message to the client outside of every request: `false` when there is no stream for it
   */
  constructor(
    handshake: LegacyHandshake,
    channel: ChannelFeatures | undefined,
    push: (message: JsonRpcMessage) => boolean,
  ) {
    this.#handshake = handshake;
    this.#channel = channel;
    this.#push = push;
  }

  /** Whether the client has said that it is ready. */
  get initialized(): boolean {
    return this.#initialized;
  }

  /** Takes in a notification; those that mean nothing here are ignored. */
  receive({ method, params }: JsonRpcNotification): void {
    if (method === "notifications/initialized") this.#initialized = true;
    if (method === "notifications/cancelled") this.inFlight.cancel(params?.["requestId"]);
    if (method === "notifications/progress") this.#asked.progressed(params);
  }

  /** Takes in an answer of the client to a question of ours. */
  answered(response: JsonRpcResponse): void {
    this.#asked.answered(response);
  }

  /** Whether the client is to hear of the change: of other lists always, of a resource when it has subscribed to it. */
  hears(change: Change): boolean {
    return change.kind !== "updated" || this.#watched.has(change.uri);
  }

  /**
   * The result of a request of this client.
   * @throws RpcFailure as {@link FixtureServer.legacy} does, and −32602 for a log level that is none
   */
  async result(
    server: FixtureServer,
    request: JsonRpcRequest,
    exchange: Exchange,
    headers: Headers,
  ): Promise<JsonObject> {
    if (this.#takes(server.offer, request)) return {};
    const caller: Caller = {
      era: "legacy",
      ...this.#handshake,
      session: this.#channel !== undefined,
      logLevel: this.#logLevel,
      headers,
    };
    return await server.legacy(request, caller, exchange, this.#askWithin(exchange));
  }

  #askWithin(exchange: Exchange): Ask {
    const declared = this.#handshake.clientCapabilities;
    return legacyAsk({ asked: this.#asked, declared, exchange, push: this.#push });
  }

  /** Does what changes this session alone, where the server and the channel can carry the consequences. */
  #takes({ logging, watchable }: Offer, { method, params }: JsonRpcRequest): boolean {
    if (method === "logging/setLevel" && logging && this.#channel?.logging === true) {
      this.#setLogLevel(params?.["level"]);
      return true;
    }
    if (watchable === undefined || this.#channel?.changes !== true) return false;
    if (method === "resources/subscribe") this.#watched.add(watchable.watchable(params?.["uri"], "legacy"));
    else if (method === "resources/unsubscribe") this.#watched.delete(watchable.watchable(params?.["uri"], "legacy"));
    else return false;
    return true;
  }

  #setLogLevel(level: unknown): void {
    if (!isLogLevel(level)) throw new RpcFailure(CODE.invalidParams, "level must be a log level");
    this.#logLevel = level;
  }
}
