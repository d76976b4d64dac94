import type { ConnectorSpec, Clock, GatewayError, Logger, Monotonic, RandomSource, Timers } from "@cortex-os/mcp-core";
import type { Era, JsonObject, JsonRpcNotification, LogLevel, ServerFeature } from "@cortex-os/mcp-core/wire";
import type { AskedQuestion, UpstreamQuestion } from "./asking/question.js";
import type { AnswerSink, Exchange, UpstreamCall } from "./runtime/exchange.js";

/** What an upstream turned out to be: the verdict of era detection, remembered with its date. */
export interface UpstreamFacts {
  readonly era: Era;
  /** Set when it speaks over the old HTTP+SSE transport (2024-11-05). */
  readonly transport?: "sse";
  /** The revision that the gateway and the upstream speak with each other. */
  readonly revision: string;
  /** The upstream's own name and version; for display only, never for behaviour (2026-07-28, discover). */
  readonly serverInfo?: JsonObject;
  readonly capabilities: JsonObject;
  readonly instructions?: string;
  /** Whatever else it said of itself in `server/discover` or `initialize`, as it came: caching hints, `_meta`, members that nobody here knows. */
  readonly others?: JsonObject;
  /** When the era was detected, RFC 3339. */
  readonly detectedAt: string;
}

/** What a link tells its owner, from the moment `open` resolved until `close` is called. */
export interface LinkEvents {
  /** The lists of this feature changed, or may have changed unseen: ask for them again. */
  onListChanged(feature: ServerFeature): void;
  /**
   * What the upstream tells outside of any request and that is no change of a list: `notifications/resources/updated`, `notifications/message`, and what
   * nobody here knows.
   *
   * @param sessionKey the client session whose own child or session it came from; absent when it came from what all share
   */
  onNotification(notification: JsonRpcNotification, sessionKey?: string): void;
  /**
   * The upstream asks something of the client of a session, outside of any request or of none that can be told.
   *
   * @returns `undefined` when the session has no way to its client: nothing was asked then
   */
  onQuestion(sessionKey: string, question: UpstreamQuestion): AskedQuestion | undefined;
  /** From now on each client session has a process of its own: the one that all shared asked something that several clients could have been meant by. */
  onIsolated(): void;
  /**
   * Nothing was asked of it for as long as its owner said, nothing is under way, and nobody listens to a resource of it: it may be closed and nobody would notice.
   * Called at most once; never by a link that was not told how long that is.
   */
  onIdle(): void;
  /** The connection is gone. The owner closes this link and makes a new one; called at most once. */
  onLost(error: GatewayError): void;
}

/** The ports a link works through. */
export interface LinkDeps {
  readonly spec: ConnectorSpec;
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly logger: Logger;
  readonly events: LinkEvents;
  /** How the gateway introduces itself to upstreams. @default {@link GATEWAY_INFO} */
  readonly clientInfo?: JsonObject;
  /** What was learned last time: saves the detection, and is verified, not believed. */
  readonly prior?: UpstreamFacts;
}

/** The gateway's `clientInfo` towards upstreams, when its owner gives none. */
export const GATEWAY_INFO: JsonObject = { name: "cortex-mcp", version: "0.0.0" };

/** Bounds of one request of the gateway's own. */
export interface OwnRequestOptions {
  readonly signal?: AbortSignal;
  /** From sending to the whole answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Longest answer in bytes. */
  readonly maxBytes: number;
  /** `mcp-param-*` headers, for transports that have headers. */
  readonly paramHeaders?: Readonly<Record<string, string>>;
}

/** How a {@link Link} ends. */
export interface CloseOptions {
  /** Whether calls in flight may end by themselves. @default false */
  readonly drain?: boolean;
  /** What calls in flight fail with. @default UPSTREAM_UNAVAILABLE: the connector is being closed */
  readonly error?: GatewayError;
}

/**
 * One connection to one upstream, whatever the transport: the port that `RemoteProxy` drives. A link lives once: opened,
 * used, closed; after a loss its owner makes a new one.
 */
export interface Link {
  /**
   * Connects and detects the era, or verifies the remembered one, within the connector's `connectMs` (HTTP) or `startMs` (stdio).
   * @throws GatewayError UPSTREAM_UNAVAILABLE, UPSTREAM_TIMEOUT or UPSTREAM_PROTOCOL, or CANCELLED when `signal` ended it;
   *   the link is then good for `close` only
   */
  open(signal: AbortSignal): Promise<UpstreamFacts>;
  /** One client request; the answer reaches `sink` in the era of `call.caller`. Never throws: failures go to the sink. */
  send(call: UpstreamCall, sink: AnswerSink): Exchange;
  /**
   * A request of the gateway's own, in the upstream's era: the link adds the metadata that the era asks for.
   * @returns the `result` member
   * @throws GatewayError UPSTREAM_TIMEOUT, UPSTREAM_LIMIT (more than `maxBytes`), UPSTREAM_PROTOCOL (an error answer or
   *   nonsense), UPSTREAM_UNAVAILABLE, or CANCELLED when `signal` ended it
   */
  request(method: string, params: JsonObject, options: OwnRequestOptions): Promise<JsonObject>;
  /**
   * From now on changes of this resource are told by `onNotification`; each resource is to be named once. Only what all callers share is
   * subscribed: what a client's own child does to its resources is not heard of.
   *
   * @returns when the upstream has agreed
   * @throws GatewayError UPSTREAM_PROTOCOL when it refuses, with the code it gave as `data.upstreamCode`; UPSTREAM_TIMEOUT (`listMs`), or
   *   UPSTREAM_UNAVAILABLE
   */
  subscribe(uri: string): Promise<void>;
  /** The opposite. Never rejects, not for what was not subscribed to either. */
  unsubscribe(uri: string): Promise<void>;
  /**
   * From which level on anybody wants log messages of what all callers share: a legacy upstream that offers logging is told so. Returns at once; that it
   * failed is logged.
   */
  setLogLevel(level: LogLevel): void;
  /**
   * Whether a change of the upstream's lists would be heard of right now, of each feature that it has. Many servers claim to tell of changes and do not: whoever
   * wants to know asks them from time to time while this is false.
   */
  readonly hearsChanges: boolean;
  /** Tells the upstream something that a legacy client told the gateway, in the client's own session or process; without one nothing happens. */
  tellOfClient(sessionKey: string, notification: JsonRpcNotification): void;
  /** A client session ended: release what is held for it. Unknown keys are fine. */
  endSession(sessionKey: string): void;
  /**
   * Releases everything: sockets, timers, children. What is in flight fails. Idempotent.
   *
   * With `drain`, nothing new starts but calls in flight may end by themselves, the gateway's own among them; resolves when they have. A link whose
   * calls cannot outlive it ignores that. A later `close()` without it ends them.
   */
  close(options?: CloseOptions): Promise<void>;
}
