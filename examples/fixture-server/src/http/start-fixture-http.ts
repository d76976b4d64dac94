import type { IncomingMessage, ServerResponse } from "node:http";
import { systemTimers } from "@cortex-os/mcp-core";
import { eraOfRevision, HEADER, META, metaOf } from "@cortex-os/mcp-core/wire";
import type { CallCounts } from "../call-counters.js";
import type { FixtureServerOptions } from "../fixture-server-options.js";
import { FixtureServer } from "../fixture-server.js";
import { CODE, RpcFailure } from "../rpc-failure.js";
import type { ReadableMessage } from "./body.js";
import { ExchangeFactory } from "./exchange-factory.js";
import { HttpListener } from "./http-listener.js";
import { LegacyEndpoint } from "./legacy-endpoint.js";
import { ModernEndpoint } from "./modern-endpoint.js";
import { readMessage } from "./read-message.js";
import { sendEmpty, sendFailure } from "./reply.js";
import type { RequestCounts } from "./request-counters.js";

/** Which clients a server serves. */
export type ServedEra = "modern" | "legacy" | "both";

/** Options of {@link startFixtureHttp}. */
export interface FixtureHttpOptions extends FixtureServerOptions {
  /** The port on 127.0.0.1; 0 takes any free one. @default 0 */
  readonly port?: number;
  /** @default "both" */
  readonly era?: ServedEra;
  /** Whether legacy clients get sessions. @default true */
  readonly sessions?: boolean;
  /** Legacy sessions kept, the newest ones: clients are allowed to go without a word. @default 10_000 */
  readonly maxSessions?: number;
  /** Whether every answer is plain JSON: then there are no notifications and no subscriptions. @default false */
  readonly jsonOnly?: boolean;
  /**
   * Whether clients of 2025-11-25 get streams that they can come back for: event ids, an empty first event, replay after
   * `Last-Event-ID`. @default what `conformance` is
   */
  readonly resumable?: boolean;
  /** Milliseconds between two keep-alive comments on an event stream. @default 15_000 */
  readonly keepAliveMs?: number;
  /** Bytes a request body may have. @default 4 MiB */
  readonly maxBodyBytes?: number;
}

/** A server that runs. */
export interface FixtureHttp {
  /** The MCP endpoint. */
  readonly url: string;
  readonly port: number;
  /** What came in so far; the numbers go on changing. */
  readonly requests: RequestCounts;
  /** What became of the tool calls so far; the numbers go on changing. */
  readonly calls: CallCounts;
  /** Legacy sessions that are alive now. */
  readonly sessions: number;
  /** Legacy GET streams that are open now. */
  readonly streams: number;
  /** Forgets every session, as a server does that starts again: their next message gets 404. */
  forgetSessions(): void;
  /** Ends subscriptions with their result, cuts off all else, and frees the port. Idempotent. */
  close(): Promise<void>;
}

const PATH = "/mcp";

/**
 * Starts an MCP server of both eras at `http://127.0.0.1:PORT/mcp`.
 * @throws Error (`EADDRINUSE` and the like) when it cannot listen on the port
 */
export async function startFixtureHttp(options: FixtureHttpOptions = {}): Promise<FixtureHttp> {
  const front = new HttpFront(options);
  await front.listen(options.port ?? 0);
  return front;
}

class HttpFront implements FixtureHttp {
  readonly #server: FixtureServer;
  readonly #exchanges: ExchangeFactory;
  readonly #modern: ModernEndpoint;
  readonly #legacy: LegacyEndpoint;
  readonly #era: ServedEra;
  readonly #maxBodyBytes: number;
  readonly #listener: HttpListener;

  constructor(options: FixtureHttpOptions) {
    const timers = options.timers ?? systemTimers;
    const streamDeps = { timers, keepAliveMs: options.keepAliveMs ?? 15_000 };
    this.#server = new FixtureServer(options);
    this.#exchanges = new ExchangeFactory(options.jsonOnly !== true, streamDeps);
    this.#modern = new ModernEndpoint(this.#server, this.#exchanges);
    this.#legacy = new LegacyEndpoint(
      this.#server,
      this.#exchanges,
      options.sessions === false ? 0 : (options.maxSessions ?? 10_000),
      options.resumable ?? options.conformance ?? false,
    );
    this.#era = options.era ?? "both";
    this.#maxBodyBytes = options.maxBodyBytes ?? 4 * 1024 * 1024;
    this.#listener = new HttpListener(async (req, res) => this.#serve(req, res), timers);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}${PATH}`;
  }

  get port(): number {
    return this.#listener.port;
  }

  get requests(): RequestCounts {
    return this.#listener.requests;
  }

  get calls(): CallCounts {
    return this.#server.offer.calls;
  }

  get sessions(): number {
    return this.#legacy.sessions;
  }

  get streams(): number {
    return this.#legacy.streams;
  }

  async listen(port: number): Promise<void> {
    await this.#listener.listen(port);
  }

  forgetSessions(): void {
    this.#legacy.forgetSessions();
  }

  async close(): Promise<void> {
    await this.#listener.close(async () => {
      this.#legacy.shutDown();
      await this.#exchanges.shutDown();
    });
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (!isEndpoint(req.url)) sendEmpty(res, 404);
    else if (req.method === "POST") await this.#post(req, res);
    else this.#session(req, res);
  }

  async #post(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (!acceptsBoth(req)) {
      const message = "Accept must list application/json and text/event-stream";
      sendFailure(res, 406, new RpcFailure(CODE.invalidRequest, message));
      return;
    }
    const message = await readMessage(req, res, this.#maxBodyBytes, this.#listener.requests);
    if (message === undefined) return;
    if (this.#isModern(message, req)) await this.#modern.post(message, req, res);
    else await this.#legacy.post(message, req, res);
  }

  /** What only the legacy era has: a stream to listen on (GET) and the end of a session (DELETE). */
  #session(req: IncomingMessage, res: ServerResponse): void {
    const version = req.headers[HEADER.protocolVersion];
    const legacy = this.#era !== "modern" && (typeof version !== "string" || eraOfRevision(version) === "legacy");
    if (legacy && req.method === "GET") this.#legacy.get(req, res);
    else if (legacy && req.method === "DELETE") this.#legacy.delete(req, res);
    else sendEmpty(res, 405, { allow: this.#era === "modern" ? "POST" : "GET, POST, DELETE" });
  }

  /** How the client opens tells its era (versioning, Backward Compatibility): the body first, then its headers. */
  #isModern(message: ReadableMessage, { headers }: IncomingMessage): boolean {
    if (this.#era !== "both") return this.#era === "modern";
    if (message.kind === "response") return headers[HEADER.sessionId] === undefined;
    const { method, params } = message.message;
    if (metaOf(params)?.[META.protocolVersion] !== undefined) return true;
    if (method === "initialize") return false;
    const version = headers[HEADER.protocolVersion];
    if (typeof version === "string") return eraOfRevision(version) === "modern";
    return headers[HEADER.method] !== undefined;
  }
}

const isEndpoint = (url: string | undefined): boolean => url === PATH || url?.startsWith(`${PATH}?`) === true;

/** Whether the client takes either form of an answer (Streamable HTTP, Sending Messages). */
function acceptsBoth({ headers: { accept = "" } }: IncomingMessage): boolean {
  return accept.includes("*/*") || (accept.includes("application/json") && accept.includes("text/event-stream"));
}
