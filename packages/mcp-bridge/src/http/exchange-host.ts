import type { GatewayError, Monotonic, Timers } from "@cortex-os/mcp-core";
import type {
  JsonObject,
  JsonRpcNotification,
  JsonRpcRequest,
  JsonRpcResponse,
  RequestId,
  ServerFeature,
} from "@cortex-os/mcp-core/wire";
import type { ByteBudget } from "../byte-budget.js";
import type { Lane } from "./lanes.js";
import type { Caller } from "../runtime/exchange.js";
import type { LegacySession } from "./legacy-session.js";
import type { ResponseReader } from "./response-reader.js";
import type { LevelWish } from "./session-levels.js";
import type { UpstreamExchange } from "./upstream-exchange.js";

/** A request ready to be sent: everything but the session, which may be lost and replaced meanwhile. */
export interface PreparedRequest {
  /** The id as the upstream sees it. */
  readonly id: RequestId;
  readonly method: string;
  readonly body: string;
  /** The headers of the modern era; those of a legacy session are added when it is known. */
  readonly headers: readonly string[];
  /** The legacy session it belongs to; `undefined` towards a modern upstream. */
  readonly session: LegacySession | undefined;
  /** Who is asked what the upstream wants to know meanwhile; absent for requests of the gateway's own. */
  readonly caller: Caller | undefined;
  readonly lane: Lane;
  /** Longest message of the answer that is read, in bytes. */
  readonly maxBytes: number;
  /** Longest silence, in milliseconds. */
  readonly idleMs: number;
  /** Longest duration altogether, in milliseconds. */
  readonly maxMs: number;
  /** What its session is told about log messages before it is sent. */
  readonly logs: LevelWish | undefined;
}

/** What an exchange needs of the link it runs on. */
export interface ExchangeHost {
  readonly key: string;
  readonly ports: { readonly timers: Timers; readonly monotonic: Monotonic };
  /** What all unfinished messages of this upstream together may hold. */
  readonly budget: ByteBudget;
  post(request: PreparedRequest, reader: ResponseReader): void;
  /**
   * Goes on with an answer whose connection ended (2025-11-25, transports, Resumability and Redelivery).
   *
   * @param sessionId the session the request was sent in
   * @returns false when there is no such session any more: nothing was sent
   */
  resume(request: PreparedRequest, sessionId: string | undefined, lastEventId: string, reader: ResponseReader): boolean;
  begun(exchange: UpstreamExchange): void;
  ended(exchange: UpstreamExchange): void;
  /** The request was given up after it was sent: a legacy upstream is told so. */
  cancelled(request: PreparedRequest, reason: string | undefined): void;
  /** The upstream did not carry the request out because it has forgotten the session: opens another one and sends again. */
  sessionLost(exchange: UpstreamExchange, sessionId: string): void;
  /** The upstream refused a request with a 4xx: it may not be the server it was. */
  refused(): void;
  /** No connection could be made. */
  unreachable(error: GatewayError): void;
  /** To be told of every answer that is read: some errors say that the tools are not what they were. */
  answered(request: PreparedRequest, response: JsonRpcResponse): void;
  /** The upstream's lists of this feature are not what they were. */
  listChanged(feature: ServerFeature): void;
  /** The upstream told something that is not for whoever asked, but for everybody. */
  told(notification: JsonRpcNotification): void;
  /** The upstream sent a request beside its answer. @param bytes its length */
  asked(exchange: UpstreamExchange, request: JsonRpcRequest, bytes: number): void;
  /** The upstream wants no answer any more to what it asked: `notifications/cancelled`. */
  withdrawn(request: PreparedRequest, params: JsonObject | undefined): void;
  /** The request is answered or given up: nothing that was asked because of it needs an answer any more. May be called twice. */
  settled(exchange: UpstreamExchange): void;
}
