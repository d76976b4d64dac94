import type { GatewayError, Monotonic, Timers } from "@cortex-os/mcp-core";
import type { RequestId } from "@cortex-os/mcp-core/wire";
import type { Dispatcher } from "undici";
import type { LegacySession } from "./legacy-session.js";
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
  /** Longest silence, in milliseconds. */
  readonly idleMs: number;
  /** Longest duration altogether, in milliseconds. */
  readonly maxMs: number;
}

/** What an exchange needs of the link it runs on. */
export interface ExchangeHost {
  readonly key: string;
  readonly ports: { readonly timers: Timers; readonly monotonic: Monotonic };
  post(request: PreparedRequest, handler: Dispatcher.DispatchHandler): void;
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
  /** The upstream's tools are not what they were. */
  listChanged(): void;
  /** Answers a request of the upstream's, which the gateway declared no capability for. */
  refuse(request: PreparedRequest, id: RequestId, method: string): void;
}
