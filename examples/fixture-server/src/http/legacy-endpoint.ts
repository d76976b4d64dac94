import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { HEADER, type JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import { changeNotification, type Change } from "../changes.js";
import type { ChannelFeatures } from "../exchange.js";
import type { FixtureServer } from "../fixture-server.js";
import { LegacySession, readHandshake, type LegacyHandshake } from "../legacy-session.js";
import { CODE, RpcFailure } from "../rpc-failure.js";
import type { ReadableMessage } from "./body.js";
import type { ExchangeFactory } from "./exchange-factory.js";
import { SessionStreams } from "./session-streams.js";
import { sendEmpty, sendFailure } from "./reply.js";

/** What a request without `MCP-Protocol-Version` speaks (2025-11-25, transports, Protocol Version Header). */
const UNNAMED_REVISION = "2025-03-26";

const RESUMABLE_SINCE = "2025-11-25";

const NO_CHANNEL: ChannelFeatures = { changes: false, logging: false };

interface HttpSession {
  readonly session: LegacySession;
  readonly streams: SessionStreams;
}

/** The legacy era over Streamable HTTP, with sessions or without. */
export class LegacyEndpoint {
  readonly #server: FixtureServer;
  readonly #exchanges: ExchangeFactory;
  /** `undefined`: no sessions are kept, so nothing can be told to anybody. */
  readonly #channel: ChannelFeatures | undefined;
  readonly #maxSessions: number;
  readonly #resumable: boolean;
  readonly #sessions = new Map<string, HttpSession>();
  readonly #stopListening: () => void;

  /**
   * @param maxSessions how many sessions to keep, the newest; 0: none, every message stands alone
   * @param resumable whether the streams of clients of 2025-11-25 are resumable
   */
  constructor(server: FixtureServer, exchanges: ExchangeFactory, maxSessions: number, resumable: boolean) {
    this.#resumable = resumable;
    this.#server = server;
    this.#exchanges = exchanges;
    this.#maxSessions = maxSessions;
    this.#channel = maxSessions > 0 ? exchanges.features : undefined;
    this.#stopListening = server.offer.changes.on((change) => {
      this.#tell(change);
    });
  }

  /** Sessions that are alive. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** GET streams that are open. */
  get streams(): number {
    return [...this.#sessions.values()].reduce((sum, { streams }) => sum + streams.connections, 0);
  }

  async post(message: ReadableMessage, req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (message.kind === "request" && message.message.method === "initialize") {
      await this.#initialize(message.message, res);
      return;
    }
    const found = this.#find(req);
    if (found instanceof RpcFailure) {
      sendFailure(res, found.httpStatus, found, message.kind === "request" ? message.message.id : undefined);
      return;
    }
    if (message.kind === "request") {
      await this.#request(message.message, found, req, res);
      return;
    }
    if (message.kind === "notification") found.session.receive(message.message);
    else found.session.answered(message.message);
    sendEmpty(res, 202);
  }

  /** Opens the stream on which the client hears of changes. */
  get(req: IncomingMessage, res: ServerResponse): void {
    if (this.#channel?.changes !== true) {
      sendEmpty(res, 405, { allow: this.#channel === undefined ? "POST" : "POST, DELETE" });
      return;
    }
    const found = this.#find(req);
    if (found instanceof RpcFailure) {
      sendFailure(res, found.httpStatus, found);
      return;
    }
    const lastEventId = req.headers["last-event-id"];
    if (typeof lastEventId !== "string" || !this.#resumable) found.streams.listen(res);
    else if (!found.streams.resume(res, lastEventId)) {
      sendFailure(res, 400, refusal(400, "Last-Event-ID is of no stream that can be resumed"));
    }
  }

  /** Ends the client's session. */
  delete(req: IncomingMessage, res: ServerResponse): void {
    if (this.#channel === undefined) {
      sendEmpty(res, 405, { allow: "POST" });
      return;
    }
    const found = this.#find(req);
    if (found instanceof RpcFailure) {
      sendFailure(res, found.httpStatus, found);
      return;
    }
    this.#sessions.delete(String(req.headers[HEADER.sessionId]));
    close(found);
    sendEmpty(res, 200);
  }

  /** Forgets every session, as a server does that starts again. */
  forgetSessions(): void {
    const forgotten = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const session of forgotten) close(session);
  }

  shutDown(): void {
    this.#stopListening();
    this.forgetSessions();
  }

  async #initialize(request: JsonRpcRequest, res: ServerResponse): Promise<void> {
    const exchange = this.#exchanges.open(res, "legacy");
    let sessionId: string | undefined;
    const answer = await this.#server.answer(request, exchange, () => {
      const handshake = readHandshake(request.params, this.#server.revisions);
      const channel = this.#channel;
      if (channel !== undefined) sessionId = this.#open(handshake, channel);
      return this.#server.initializeResult(handshake.protocolVersion, channel ?? NO_CHANNEL);
    });
    exchange.finish(answer, sessionId);
  }

  async #request(
    request: JsonRpcRequest,
    { session, streams }: HttpSession,
    { headers }: IncomingMessage,
    res: ServerResponse,
  ): Promise<void> {
    const exchange = this.#exchanges.open(res, "legacy", streams.opener(res));
    const answer = await session.inFlight.during(request.id, exchange.scope, async () =>
      this.#server.answer(request, exchange, () => session.result(this.#server, request, exchange, headers)),
    );
    // A method that is not known is 404 in the modern era only: here 404 would say that the session is gone.
    exchange.finish(answer === undefined ? undefined : { ...answer, httpStatus: 200 });
  }

  /** The session a message belongs to, or why it is refused (2025-11-25, transports, Session Management). */
  #find({ headers }: IncomingMessage): HttpSession | RpcFailure {
    const revision = headers[HEADER.protocolVersion] ?? UNNAMED_REVISION;
    if (typeof revision !== "string" || !this.#server.revisions.includes(revision)) {
      const spoken = this.#server.revisions.join(", ");
      return refusal(400, `Unsupported protocol version: this endpoint speaks ${spoken}`);
    }
    if (this.#channel === undefined) return this.#sessionless(revision);
    const id = headers[HEADER.sessionId];
    if (typeof id !== "string") return refusal(400, "Mcp-Session-Id is missing: initialize first");
    return this.#sessions.get(id) ?? refusal(404, "Unknown session: initialize again");
  }

  #open(handshake: LegacyHandshake, channel: ChannelFeatures): string {
    const id = randomUUID();
    const streams = this.#streams(handshake.protocolVersion);
    const session = new LegacySession(handshake, channel, (message) => streams.send(message));
    this.#sessions.set(id, { session, streams });
    for (const [oldest, forgotten] of this.#sessions) {
      if (this.#sessions.size <= this.#maxSessions) break;
      this.#sessions.delete(oldest);
      close(forgotten);
    }
    return id;
  }

  /** Tells every client that listens. */
  #tell(change: Change): void {
    const message = changeNotification(change);
    for (const { session, streams } of this.#sessions.values()) {
      if (session.hears(change)) streams.send(message);
    }
  }

  /** Clients of older revisions would take the empty first event for a message. */
  #streams(revision: string): SessionStreams {
    return new SessionStreams(this.#exchanges.streamDeps, this.#resumable && revision >= RESUMABLE_SINCE);
  }

  /** What stands in for a session when the server keeps none: gone with the request. */
  #sessionless(protocolVersion: string): HttpSession {
    const handshake = { protocolVersion, clientInfo: undefined, clientCapabilities: {} };
    const streams = new SessionStreams(this.#exchanges.streamDeps, false);
    return { session: new LegacySession(handshake, undefined, () => false), streams };
  }
}

const refusal = (httpStatus: number, message: string): RpcFailure =>
  new RpcFailure(CODE.invalidRequest, message, { httpStatus });

function close({ session, streams }: HttpSession): void {
  session.inFlight.shutDown();
  streams.end();
}
