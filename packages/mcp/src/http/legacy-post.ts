import type { IncomingMessage, ServerResponse } from "node:http";
import { ANSWERED } from "@cortex-os/mcp-bridge";
import { GatewayError, type Logger } from "@cortex-os/mcp-core";
import { HEADER, isLegacyRevision, type ClassifiedMessage, type JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import type { Gateway } from "../gateway/gateway.js";
import { afterwards } from "../gateway/client-sink.js";
import { openSession, serveRequest, takeMessage, type OpenedSession } from "../gateway/legacy-client.js";
import { unsupportedVersion } from "../gateway/modern-client.js";
import { BATCH_REVISION, readBatch } from "../gateway/read-batch.js";
import type { Scope } from "../gateway/scope.js";
import type { ClientSession } from "../gateway/client-session.js";
import type { GatewayMetrics } from "../telemetry/metrics.js";
import { HttpSink, type HttpSinkDeps } from "./http-sink.js";
import { BatchAnswer } from "./legacy-batch.js";
import { openLegacyStream } from "./legacy-stream.js";
import { sendEmpty, sendError } from "./respond.js";
import { ClientStreams, type ClientStreamsDeps } from "./session-streams.js";

/** What the legacy era works through. */
export interface LegacyHttpDeps extends HttpSinkDeps, Omit<ClientStreamsDeps, "sse"> {}

/** The legacy era over Streamable HTTP (2025-11-25, Transports): `initialize`, sessions, the GET stream. */
export class LegacyHttp {
  readonly #gateway: Gateway;
  readonly #deps: HttpSinkDeps;
  readonly #logger: Logger;
  readonly #metrics: GatewayMetrics;
  readonly #streams: ClientStreams;

  constructor(gateway: Gateway, deps: LegacyHttpDeps, logger: Logger, metrics: GatewayMetrics) {
    this.#gateway = gateway;
    this.#deps = deps;
    this.#streams = new ClientStreams({ ...deps, sse: deps });
    this.#logger = logger;
    this.#metrics = metrics;
  }

  /** Answers one POSTed message. */
  post(
    scope: Scope,
    message: Exclude<ClassifiedMessage, { kind: "invalid" }>,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    if (message.kind === "request" && message.message.method === "initialize") {
      this.#initialize(scope, message.message, response);
      return;
    }
    const session = this.#session(scope, request, response);
    if (session === undefined) return;
    if (message.kind === "request") {
      const { id } = message.message;
      serveRequest(
        this.#gateway,
        session,
        message.message,
        (onDone) => new HttpSink(response, id, "legacy", this.#deps, onDone, this.#streams.of(session)),
      );
    } else {
      takeMessage(this.#gateway, session, message);
      sendEmpty(response, 202);
    }
  }

  /**
   * Answers a POSTed batch, each member as if it had come alone.
   * @returns false when it is not for a session whose revision knows batches: nothing was answered
   */
  batch(scope: Scope, values: readonly unknown[], request: IncomingMessage, response: ServerResponse): boolean {
    // That revision had no header for itself.
    const revision = request.headers[HEADER.protocolVersion] ?? BATCH_REVISION;
    if (revision !== BATCH_REVISION || request.headers[HEADER.sessionId] === undefined) return false;
    const session = this.#session(scope, request, response);
    if (session === undefined) return true;
    if (session.caller.revision !== BATCH_REVISION) return false;
    const read = readBatch(values);
    if (!read.ok) {
      this.#metrics.rejected("body");
      sendError(response, 400, read.error);
      return true;
    }
    let answer: BatchAnswer | undefined;
    for (const member of read.messages) {
      if (member.kind !== "request") {
        takeMessage(this.#gateway, session, member);
        continue;
      }
      const { message } = member;
      const whole = (answer ??= new BatchAnswer(response, { ...this.#deps, streams: this.#streams.of(session) }));
      serveRequest(this.#gateway, session, message, (onDone) => whole.member(message.id, onDone));
    }
    if (answer === undefined) sendEmpty(response, 202);
    else answer.complete();
    return true;
  }

  /** Answers a GET: opens the session's stream, or goes on with one. */
  get(scope: Scope, request: IncomingMessage, response: ServerResponse): void {
    const session = this.#session(scope, request, response);
    if (session !== undefined) openLegacyStream(session, this.#streams.of(session), request, response);
  }

  /** Answers a DELETE: the session is over. */
  delete(scope: Scope, request: IncomingMessage, response: ServerResponse): void {
    const session = this.#session(scope, request, response);
    if (session === undefined) return;
    this.#gateway.sessions.end(session.id, "the client ended its session");
    sendEmpty(response, 200);
  }

  /** The session of this scope that a request names; when it names none that lives, the request is answered and `undefined` returned. */
  #session(scope: Scope, request: IncomingMessage, response: ServerResponse): ClientSession | undefined {
    const revision = request.headers[HEADER.protocolVersion];
    if (typeof revision === "string" && !isLegacyRevision(revision)) {
      this.#metrics.rejected("headers");
      sendError(response, 400, unsupportedVersion(revision));
      return undefined;
    }
    const id = request.headers[HEADER.sessionId];
    const session = typeof id === "string" ? this.#gateway.sessions.use(id, scope) : undefined;
    if (session !== undefined) return session;
    this.#metrics.rejected("session");
    if (id === undefined) {
      sendError(response, 400, new GatewayError("INVALID_REQUEST", "Mcp-Session-Id is missing: initialize first"));
    } else {
      // 404 tells the client to initialize anew (2025-11-25, Transports, Session Management).
      sendError(response, 404, new GatewayError("INVALID_REQUEST", "Session not found: initialize again"));
    }
    return undefined;
  }

  #initialize(scope: Scope, message: JsonRpcRequest, response: ServerResponse): void {
    const sink = new HttpSink(response, message.id, "legacy", this.#deps);
    sink.attach(
      afterwards(scope.untilDescribed(), () => {
        this.#open(scope, message, response, sink);
        return ANSWERED;
      }),
    );
  }

  #open(scope: Scope, message: JsonRpcRequest, response: ServerResponse, sink: HttpSink): void {
    let opened: OpenedSession;
    try {
      opened = openSession(this.#gateway, scope, message);
    } catch (error) {
      const refused = GatewayError.from(error, "INTERNAL", "no session could be opened");
      const isOverloaded = refused.code === "LIMITED" || refused.code === "INTERNAL";
      const fields = scope.connector === undefined ? {} : { connectorId: scope.connector };
      if (refused.code !== "INVALID_PARAMS") this.#logger.warn({ ...fields, err: error }, "Client session refused");
      sink.failWith(isOverloaded ? 503 : 200, refused);
      return;
    }
    const { session, result } = opened;
    response.setHeader(HEADER.sessionId, session.id);
    sink.respond({ jsonrpc: "2.0", id: message.id, result });
  }
}
