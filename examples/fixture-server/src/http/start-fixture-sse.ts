import type { IncomingMessage, ServerResponse } from "node:http";
import { systemTimers } from "@cortex-os/mcp-core";
import type { CallCounts } from "../call-counters.js";
import { FixtureServer } from "../fixture-server.js";
import type { FixtureServerOptions } from "../fixture-server-options.js";
import { HttpListener } from "./http-listener.js";
import { readMessage } from "./read-message.js";
import { sendEmpty } from "./reply.js";
import type { RequestCounts } from "./request-counters.js";
import { MESSAGES_PATH, SseEndpoint } from "./sse-endpoint.js";

/** Options of {@link startFixtureSse}. */
export interface FixtureSseOptions extends FixtureServerOptions {
  /** The port on 127.0.0.1; 0 takes any free one. @default 0 */
  readonly port?: number;
  /** Milliseconds between two keep-alive comments on a stream. @default 15_000 */
  readonly keepAliveMs?: number;
  /** Bytes a request body may have. @default 4 MiB */
  readonly maxBodyBytes?: number;
}

/** A server that runs. */
export interface FixtureSse {
  /** Where clients open their stream. */
  readonly url: string;
  readonly port: number;
  /** What came in so far; the numbers go on changing. */
  readonly requests: RequestCounts;
  /** What became of the tool calls so far; the numbers go on changing. */
  readonly calls: CallCounts;
  /** Streams that are open now: one for each client. */
  readonly streams: number;
  /** Ends every stream, as a server does that starts again: the next message of those clients gets 404. */
  endStreams(): Promise<void>;
  /** Ends every stream and frees the port. Idempotent. */
  close(): Promise<void>;
}

const PATH = "/sse";
/** All answers of a client queue up on its one stream, large ones too. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;

/**
 * Starts an MCP server that speaks the HTTP+SSE transport of 2024-11-05 and no other, at `http://127.0.0.1:PORT/sse`. What
 * is negotiated in it may be any legacy revision.
 * @throws Error (`EADDRINUSE` and the like) when it cannot listen on the port
 */
export async function startFixtureSse(options: FixtureSseOptions = {}): Promise<FixtureSse> {
  const front = new SseFront(options);
  await front.listen(options.port ?? 0);
  return front;
}

class SseFront implements FixtureSse {
  readonly #server: FixtureServer;
  readonly #endpoint: SseEndpoint;
  readonly #maxBodyBytes: number;
  readonly #listener: HttpListener;

  constructor(options: FixtureSseOptions) {
    const timers = options.timers ?? systemTimers;
    const keepAliveMs = options.keepAliveMs ?? 15_000;
    this.#server = new FixtureServer(options);
    this.#endpoint = new SseEndpoint(this.#server, { timers, keepAliveMs, maxUnreadBytes: MAX_UNREAD_BYTES });
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

  get streams(): number {
    return this.#endpoint.streams;
  }

  async listen(port: number): Promise<void> {
    await this.#listener.listen(port);
  }

  async endStreams(): Promise<void> {
    await this.#endpoint.endStreams();
  }

  async close(): Promise<void> {
    await this.#listener.close(async () => this.#endpoint.shutDown());
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(req.url ?? "/", "http://localhost");
    if (pathname === PATH) {
      // A client that tries Streamable HTTP first sees by this that it has to fall back (transports, Backwards Compatibility).
      if (req.method === "GET") this.#endpoint.open(res);
      else sendEmpty(res, 405, { allow: "GET" });
    } else if (pathname !== MESSAGES_PATH) sendEmpty(res, 404);
    else if (req.method !== "POST") sendEmpty(res, 405, { allow: "POST" });
    else {
      const message = await readMessage(req, res, this.#maxBodyBytes, this.#listener.requests);
      if (message !== undefined) this.#endpoint.post(message, searchParams.get("sessionId"), req, res);
    }
  }
}
