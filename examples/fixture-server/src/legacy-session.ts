import {
  isJsonObject,
  isLegacyRevision,
  LATEST_LEGACY,
  type JsonObject,
  type JsonRpcNotification,
  type JsonRpcRequest,
} from "@cortex-os/mcp-core/wire";
import type { Caller, Headers } from "./caller.js";
import type { Exchange, FixtureServer } from "./fixture-server.js";
import { InFlight } from "./in-flight.js";
import { isLogLevel, type LogLevel } from "./log-level.js";
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
 * @throws RpcFailure −32602 when they are malformed
 */
export function readHandshake(params: JsonObject | undefined): LegacyHandshake {
  const { protocolVersion, capabilities, clientInfo } = params ?? {};
  if (typeof protocolVersion !== "string" || !isJsonObject(capabilities) || !isJsonObject(clientInfo)) {
    throw new RpcFailure(CODE.invalidParams, "initialize needs protocolVersion, capabilities and clientInfo");
  }
  const settled = isLegacyRevision(protocolVersion) ? protocolVersion : LATEST_LEGACY;
  return { protocolVersion: settled, clientInfo, clientCapabilities: capabilities };
}

/** One legacy client from its `initialize` on: an HTTP session, or the other end of a stdio pipe. */
export class LegacySession {
  readonly inFlight = new InFlight();
  readonly #handshake: LegacyHandshake;
  readonly #kept: boolean;
  #initialized = false;
  #logLevel: LogLevel | undefined;

  /** @param kept whether the session lives on after this request: `false` on a sessionless server */
  constructor(handshake: LegacyHandshake, kept: boolean) {
    this.#handshake = handshake;
    this.#kept = kept;
  }

  /** Whether the client has said that it is ready. */
  get initialized(): boolean {
    return this.#initialized;
  }

  /** Takes in a notification; those that mean nothing here are ignored. */
  receive({ method, params }: JsonRpcNotification): void {
    if (method === "notifications/initialized") this.#initialized = true;
    if (method === "notifications/cancelled") this.inFlight.cancel(params?.["requestId"]);
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
    if (request.method === "logging/setLevel" && this.#kept) return this.#setLogLevel(request.params?.["level"]);
    const caller: Caller = {
      era: "legacy",
      ...this.#handshake,
      session: this.#kept,
      logLevel: this.#logLevel,
      headers,
    };
    return await server.legacy(request, caller, exchange);
  }

  #setLogLevel(level: unknown): JsonObject {
    if (!isLogLevel(level)) throw new RpcFailure(CODE.invalidParams, "level must be a log level");
    this.#logLevel = level;
    return {};
  }
}
