import {
  messageOf,
  type Clock,
  type ConnectorTimeouts,
  type Logger,
  type Monotonic,
  type Timers,
} from "@cortex-os/mcp-core";
import { isLegacyRevision, LATEST_LEGACY, type JsonObject } from "@cortex-os/mcp-core/wire";
import type { Dispatcher } from "undici";
import type { ByteBudget } from "../byte-budget.js";
import { GATEWAY_INFO, type Link, type LinkDeps, type UpstreamFacts } from "../link.js";
import { redactorOf } from "../redact.js";
import type { Caller } from "../runtime/exchange.js";
import type { ForwardedResponse, ForwardRequest } from "../runtime/forward.js";
import type { SseOpening } from "../sse/open-sse-peer.js";
import { SseLink } from "../sse/sse-link.js";
import { SseSessions } from "../sse/sse-sessions.js";
import { DetectedLink } from "./detected-link.js";
import { closedFailure, timeoutFailure } from "./failures.js";
import { Handshake } from "./handshake.js";
import { HttpLink } from "./http-link.js";
import { httpReply } from "./http-reply.js";
import { HttpUpstream, type HttpTarget } from "./http-upstream.js";
import { LegacySession, type SessionFacts } from "./legacy-session.js";
import { POST_HEADERS, rawHeaders } from "./request-headers.js";
import { SessionBook } from "./session-book.js";
import { withinTime } from "./time-limit.js";

const MAX_FORWARD_BYTES = 32 * 1024 * 1024;

/** What an {@link HttpTransport} works through. */
export interface HttpTransportDeps {
  readonly target: HttpTarget;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly monotonic: Monotonic;
  /** What unfinished answers of this upstream may hold together. */
  readonly budget: ByteBudget;
  readonly clientInfo?: JsonObject;
  /** Used for everything and left open; without it the upstream gets sockets of its own. */
  readonly agent?: Dispatcher;
}

/** What outlives the links to one HTTP upstream: sockets, and the sessions of clients, which a lost connection need not end. */
export class HttpTransport {
  readonly #deps: HttpTransportDeps;
  readonly #key: string;
  readonly #timeouts: ConnectorTimeouts;
  readonly #upstream: HttpUpstream;
  readonly #handshake: Handshake;
  readonly #sessions: SessionBook;
  /** The connections of clients over HTTP+SSE. */
  readonly #sse: SseSessions;
  readonly #sseOpening: SseOpening;
  readonly #closing = new AbortController();

  /** @throws GatewayError as {@link HttpUpstream} */
  constructor(deps: HttpTransportDeps) {
    const { target } = deps;
    this.#deps = deps;
    this.#key = target.key;
    this.#timeouts = target.timeouts;
    this.#upstream = new HttpUpstream(target, deps.logger, deps.agent);
    this.#handshake = new Handshake(
      this.#upstream,
      deps.timers,
      target.timeouts,
      deps.clientInfo ?? GATEWAY_INFO,
      (error) => {
        deps.logger.debug(
          { connectorId: this.#key, reason: messageOf(error) },
          "The upstream did not confirm the end of a session",
        );
      },
    );
    this.#sessions = new SessionBook((caller) => this.#sessionFor(caller));
    const { budget, clientInfo = GATEWAY_INFO, clock, logger, monotonic, timers } = deps;
    const redact = redactorOf(Object.values(target.headers));
    const common = { upstream: this.#upstream, timeouts: target.timeouts, clientInfo, redact };
    this.#sseOpening = { ...common, budget, clock, logger, monotonic, timers };
    this.#sse = new SseSessions(this.#sseOpening);
  }

  /** A new link; the one before it is lost. */
  link(deps: LinkDeps): Link {
    const { clock, prior, spec, timers } = deps;
    if (this.#deps.target.sse === true) return this.#sseLink(deps, prior);
    return new DetectedLink({
      ...{ key: this.#key, connectMs: spec.timeouts.connectMs, clock, timers },
      ...(prior === undefined ? {} : { prior }),
      streamable: () => this.#httpLink(deps),
      sse: (remembered) => this.#sseLink(deps, remembered),
    });
  }

  endSession(sessionKey: string): void {
    this.#sessions.end(sessionKey);
    this.#sse.end(sessionKey);
  }

  /**
   * One raw exchange: headers and body as given, any status is a response.
   *
   * @throws GatewayError UPSTREAM_UNAVAILABLE, UPSTREAM_TIMEOUT (`callMs`), UPSTREAM_LIMIT (32 MiB), or CANCELLED when closed meanwhile
   */
  async forward(request: ForwardRequest): Promise<ForwardedResponse> {
    const { method = "POST", headers = {}, body } = request;
    const startedMs = this.#deps.monotonic.elapsedMs();
    const { callMs } = this.#timeouts;
    const given = rawHeaders(headers);
    const defaults =
      method === "POST" ? POST_HEADERS.filter((_, at) => !given.includes(POST_HEADERS[at - (at % 2)] ?? "")) : [];
    const expired = () => timeoutFailure(this.#key, callMs);
    const reply = await withinTime(this.#deps.timers, callMs, expired, [this.#closing.signal], (signal) =>
      httpReply(
        this.#upstream,
        { method, headers: [...defaults, ...given], lane: "calls", ...(body === undefined ? {} : { body }) },
        { signal, maxBytes: MAX_FORWARD_BYTES },
      ),
    );
    const durationMs = this.#deps.monotonic.elapsedMs() - startedMs;
    this.#deps.logger.debug({ connectorId: this.#key, durationMs }, "Forwarded remote MCP request");
    return { status: reply.status, headers: reply.headers, body: reply.body };
  }

  /** Says goodbye to all sessions and closes the sockets; an injected agent stays open. Idempotent. */
  async close(): Promise<void> {
    const closed = closedFailure(this.#key);
    this.#closing.abort(closed);
    await Promise.all([this.#sessions.endAll(), this.#sse.endAll(closed)]);
    await this.#upstream.destroy();
  }

  #httpLink(deps: LinkDeps): Link {
    const lasting = { upstream: this.#upstream, handshake: this.#handshake, sessions: this.#sessions };
    return new HttpLink({ ...deps, ...lasting, budget: this.#deps.budget });
  }

  #sseLink(deps: LinkDeps, remembered?: UpstreamFacts): Link {
    const lasting = { opening: this.#sseOpening, sessions: this.#sse };
    return new SseLink({ ...deps, ...lasting, ...(remembered === undefined ? {} : { remembered }) });
  }

  #sessionFor(caller: Caller): LegacySession {
    // A session shared by a principal's clients is the gateway's own: no single client's name fits it, and nobody can be asked in it.
    const client = caller.sessionKey === undefined ? undefined : caller;
    const introduction = {
      revision: isLegacyRevision(caller.revision) ? caller.revision : LATEST_LEGACY,
      clientInfo: client?.clientInfo,
      capabilities: client?.capabilities,
    };
    const ports = {
      open: () => this.#handshake.openSession(introduction, this.#closing.signal),
      end: (facts: SessionFacts) => this.#handshake.endSession(facts),
      closedError: () => closedFailure(this.#key),
    };
    return new LegacySession(ports, client === undefined ? {} : { client });
  }
}
