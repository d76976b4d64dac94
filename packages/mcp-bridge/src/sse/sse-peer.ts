import { GatewayError, type Logger, type Monotonic, type Timers } from "@cortex-os/mcp-core";
import { HEADER } from "@cortex-os/mcp-core/wire";
import type { ByteBudget } from "../byte-budget.js";
import { Channel } from "../channel/channel.js";
import type { LanePeer, PeerEvents } from "../channel/lane.js";
import type { OutgoingRequest, QueuedLine } from "../channel/queued-line.js";
import { EventBlocks, type EventBlock } from "../http/event-blocks.js";
import { EventStream, type StreamEnd } from "../http/event-stream.js";
import { closedFailure, connectorName, protocolFailure, UnreachableError } from "../http/failures.js";
import { HeldBytes } from "../http/held-bytes.js";
import type { HttpUpstream } from "../http/http-upstream.js";
import type { Lane } from "../http/lanes.js";
import { STREAM_HEADERS } from "../http/request-headers.js";
import { endpointOf } from "./endpoint.js";
import { NoSseServerError, unopenedFailure } from "./no-sse-server-error.js";
import { Post, type PostOutcome } from "./post.js";
import { sessionLoss, undeliveredFailure } from "./undelivered-failure.js";

/** Longest message, in bytes. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;
/** How long a message without an answer may take to be accepted, in milliseconds. */
const NOTE_MS = 5_000;

/** What an {@link SsePeer} works with. */
export interface SsePeerDeps {
  readonly upstream: HttpUpstream;
  readonly timers: Timers;
  readonly monotonic: Monotonic;
  readonly logger: Logger;
  /** What unfinished messages of this upstream may hold together. */
  readonly budget: ByteBudget;
  /** Applied to upstream text before it is logged. */
  readonly redact: (text: string) => string;
  /** Whether it is the gateway's own connection, whose requests are short but for calls of tools. */
  readonly isOwn: boolean;
  /** A message could not be sent, because no connection could be made. */
  onUnreachable(error: GatewayError): void;
}

interface Opening {
  resolve(): void;
  reject(error: GatewayError): void;
}

/**
 * One connection to a server of the HTTP+SSE transport (2024-11-05): a GET whose response is the stream of everything the server says, and a POST for
 * every message to it. The connection is the session.
 */
export class SsePeer implements LanePeer {
  readonly channel: Channel;
  readonly #deps: SsePeerDeps;
  readonly #key: string;
  readonly #events: PeerEvents;
  readonly #stream: EventStream;
  readonly #held: HeldBytes;
  readonly #posts = new Set<Post>();
  #opening: Opening | undefined;
  #path: string | undefined;
  #revision: string | undefined;
  #lost: GatewayError | undefined;
  /** Why what came cannot be read on. */
  #unreadable: GatewayError | undefined;

  constructor(deps: SsePeerDeps, events: PeerEvents) {
    const { budget, logger, monotonic, redact, timers, upstream } = deps;
    this.#deps = deps;
    this.#key = upstream.key;
    this.#events = events;
    this.#held = new HeldBytes(this.#key, MAX_MESSAGE_BYTES, budget);
    const blocks = new EventBlocks(this.#held, (block) => this.#onBlock(block));
    this.#stream = new EventStream(
      this.#key,
      { onOpen: () => {}, onMessage: () => {}, onEnd: (end) => this.#onEnd(end) },
      { push: (chunk) => this.#read(blocks, chunk) },
    );
    this.channel = new Channel({
      ...{ connectorId: this.#key, timers, monotonic, logger, redact, output: "its event stream" },
      write: (line, request) => this.#write(line, request),
      onNotification: (notification) => events.onNotification(notification),
      onRequest: (request, bytes) => events.onRequest(request, bytes),
    });
  }

  /**
   * Opens the stream, and resolves when it has said where messages go. To be called once; {@link retire} ends the wait.
   *
   * @throws GatewayError {@link NoSseServerError} when something else is there, UPSTREAM_PROTOCOL for an endpoint that cannot be used, or why nothing is there
   */
  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
      const lane = this.#deps.isOwn ? "streams" : "sessions";
      if (this.#lost !== undefined) reject(this.#lost);
      else this.#deps.upstream.dispatch({ method: "GET", headers: STREAM_HEADERS, lane }, this.#stream);
    });
  }

  /**
   * Tells the server that its answer to `initialize` was understood. Resolves when it has taken that: what follows takes other sockets and could overtake it.
   *
   * @throws GatewayError as a refused message fails
   */
  confirm(revision: string): Promise<void> {
    this.#revision = revision;
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
      const message = { jsonrpc: "2.0", method: "notifications/initialized" };
      this.#post(JSON.stringify(message), "control", (outcome) => {
        if (outcome.kind === "accepted") resolve();
        else reject(undeliveredFailure(this.#key, outcome));
      });
    });
  }

  retire(error: GatewayError): void {
    if (this.#lost !== undefined) return;
    this.#lost = error;
    const isNobodyThere = error.code === "UPSTREAM_TIMEOUT" && this.#path === undefined;
    this.#opening?.reject(
      isNobodyThere ? new NoSseServerError(this.#key, "sent no endpoint event in time", error.code) : error,
    );
    this.channel.failAll(error);
  }

  /** Closes the stream, which ends the session, and drops what is under way. Idempotent. */
  stop(): Promise<void> {
    this.retire(closedFailure(this.#key));
    this.#stream.stop();
    for (const post of [...this.#posts]) post.drop();
    this.#held.clear();
    return Promise.resolve();
  }

  #read(blocks: EventBlocks, chunk: Buffer): void {
    try {
      blocks.push(chunk);
    } catch (error) {
      this.#unreadable = GatewayError.from(error, "INTERNAL", "An event could not be read");
      throw error;
    }
  }

  #onBlock({ bytes, data, other }: EventBlock): boolean {
    if (this.#lost !== undefined) return false;
    if (this.#path !== undefined) {
      if (data !== undefined) this.channel.accept(data, bytes.length);
    } else if (other?.type === "endpoint") this.#onEndpoint(other.data);
    else if (data !== undefined || other !== undefined) {
      this.#fail(new NoSseServerError(this.#key, "sends other events before an endpoint event"));
    }
    return true;
  }

  #onEndpoint(uri: string): void {
    const endpoint = endpointOf(this.#deps.upstream.address, uri);
    if (!endpoint.ok) {
      this.#fail(protocolFailure(this.#key, endpoint.reason));
      return;
    }
    this.#path = endpoint.path;
    this.#opening?.resolve();
  }

  #onEnd(end: StreamEnd): void {
    if (this.#path === undefined) {
      this.#fail(this.#unreadable ?? unopenedFailure(this.#key, end));
      return;
    }
    const why = this.#unreadable?.message ?? `${connectorName(this.#key)} closed its event stream`;
    const code = this.#unreadable?.code ?? "UPSTREAM_UNAVAILABLE";
    this.#fail(new GatewayError(code, why));
  }

  /** It serves no more; requests under way may have been carried out. */
  #fail(error: GatewayError): void {
    if (this.#lost !== undefined) return;
    const message = `${error.message}; the request may or may not have been carried out`;
    this.channel.failAll(new GatewayError(error.code, message, { cause: error }));
    this.retire(error);
    this.#events.onLost(error);
  }

  #write(line: string, request: OutgoingRequest | undefined): QueuedLine | undefined {
    if (this.#lost !== undefined || this.#path === undefined) return undefined;
    const post = this.#post(line, this.#laneOf(request), (outcome) => {
      if (outcome.kind === "accepted") return;
      const error = undeliveredFailure(this.#key, outcome);
      if (request === undefined) this.#onNoteFailed(error);
      else request.fail(error);
      if (error instanceof UnreachableError) this.#deps.onUnreachable(error);
      // A server that does not know the session any more will not know it later either.
      const loss = sessionLoss(this.#key, outcome);
      if (loss !== undefined) this.#fail(loss);
    });
    if (request === undefined) post.dropAfter(NOTE_MS);
    return post;
  }

  /** Handshakes, notes and what the gateway asks itself must not wait for the calls of clients. */
  #laneOf(request: OutgoingRequest | undefined): Lane {
    const isShort = request === undefined || request.method === "initialize";
    return isShort || (this.#deps.isOwn && request.method !== "tools/call") ? "control" : "calls";
  }

  #post(body: string, lane: Lane, onOutcome: (outcome: PostOutcome) => void): Post {
    const { timers, upstream } = this.#deps;
    const post: Post = new Post({ upstream, timers, onOutcome, onEnd: () => void this.#posts.delete(post) });
    this.#posts.add(post);
    const agreed = this.#revision === undefined ? [] : [HEADER.protocolVersion, this.#revision];
    const headers = ["content-type", "application/json", ...agreed];
    post.send({ method: "POST", headers, body, lane, ...(this.#path === undefined ? {} : { path: this.#path }) });
    return post;
  }

  #onNoteFailed(error: GatewayError): void {
    const { logger } = this.#deps;
    logger.debug({ connectorId: this.#key, reason: error.message }, "A notification did not reach the upstream");
  }
}
