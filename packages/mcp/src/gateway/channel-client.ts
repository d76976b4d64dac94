import { GatewayError, toJsonRpcError, type Logger } from "@cortex-os/mcp-core";
import {
  META,
  metaOf,
  progressTokenOf,
  type ClassifiedMessage,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type RequestId,
} from "@cortex-os/mcp-core/wire";
import type { GatewayMetrics } from "../telemetry/metrics.js";
import { ChannelSink, type MessageChannel } from "./channel-sink.js";
import type { Gateway } from "./gateway.js";
import { openSession, serveRequest, takeMessage } from "./legacy-client.js";
import { checkModernMeta, modernCaller } from "./modern-client.js";
import { BATCH_REVISION, readBatch } from "./read-batch.js";
import { readMessage } from "./read-message.js";
import type { ClientSession } from "./client-session.js";

/** Most requests of one client under way: as many as an HTTP front has connections. */
const MAX_UNDER_WAY = 10_000;
/** Most bytes of one client's answers that are held at once because they can be passed on only whole, and that may wait for its reader. */
export const MAX_HELD_BYTES = 64 * 1024 * 1024;

/** What a {@link ChannelClient} works through. */
export interface ChannelClientDeps {
  readonly gateway: Gateway;
  readonly channel: MessageChannel;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
}

type Message = Exclude<ClassifiedMessage, { kind: "invalid" }>;

/**
 * One client whose messages all come and go over one channel, as over stdio: both eras, since each message says itself to which it belongs. Cancelling is a
 * message here, and what is under way is known by its id.
 */
export class ChannelClient {
  readonly #deps: ChannelClientDeps;
  readonly #modern = new Map<RequestId, ChannelSink>();
  /** Everything that is not answered, of both eras. */
  readonly #open = new Set<ChannelSink>();
  /** Those of them that let their upstreams wait for the channel's reader. */
  readonly #behind = new Set<ChannelSink>();
  readonly #budget = { left: MAX_HELD_BYTES };
  #session: ClientSession | undefined;
  #onIdle: () => void = () => {};
  #ended = false;

  constructor(deps: ChannelClientDeps) {
    this.#deps = deps;
  }

  /** Whether something of the client's waits for an answer. */
  get isBusy(): boolean {
    return this.#open.size > 0;
  }

  /**
   * Takes one message, or the batch that it may be. Never throws.
   * @returns false when it was none, which the client was told
   */
  receive(text: Buffer): boolean {
    const read = readMessage(text);
    if (read.ok) {
      this.#take(read.message);
      return true;
    }
    if (read.batch !== undefined && this.#session?.caller.revision === BATCH_REVISION)
      return this.#takeBatch(read.batch);
    this.refuse(read.error, read.id);
    return false;
  }

  /** Answers what could not be read, or may not be. */
  refuse(error: GatewayError, id?: RequestId): void {
    this.#deps.metrics.rejected("body");
    this.#send({ jsonrpc: "2.0", ...(id === undefined ? {} : { id }), error: toJsonRpcError(error) });
  }

  /** The channel's reader has caught up. */
  resume(): void {
    const waiting = [...this.#behind];
    this.#behind.clear();
    for (const sink of waiting) sink.resume();
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Answers everything that is under way with `error`. @returns how many that were */
  shutDown(error: GatewayError): number {
    const open = [...this.#open];
    for (const sink of open) sink.shutDown(error);
    return open.length;
  }

  /** The client is gone: its session ends, and what is under way is cancelled. Idempotent. */
  end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#session !== undefined) this.#deps.gateway.sessions.end(this.#session.id, reason);
    for (const sink of [...this.#open]) sink.cancel(reason);
  }

  #take(message: Message): void {
    if (this.#ended) return;
    switch (message.kind) {
      case "request":
        this.#request(message.message);
        return;
      case "notification":
        this.#notification(message.message);
        return;
      case "response":
        if (this.#session !== undefined) takeMessage(this.#deps.gateway, this.#session, message);
    }
  }

  #takeBatch(values: readonly unknown[]): boolean {
    const read = readBatch(values);
    if (read.ok) for (const message of read.messages) this.#take(message);
    else this.refuse(read.error);
    return read.ok;
  }

  #request(message: JsonRpcRequest): void {
    if (this.#open.size >= MAX_UNDER_WAY) {
      const text = `${MAX_UNDER_WAY} requests of this client are under way; wait for one of them`;
      this.#fail(message, new GatewayError("LIMITED", text, { data: { retryAfterMs: 1_000 } }));
    } else if (this.#modern.has(message.id)) {
      this.#fail(message, new GatewayError("INVALID_REQUEST", "Another request with this id is still under way"));
    } else if (metaOf(message.params)?.[META.protocolVersion] !== undefined) this.#modernRequest(message);
    else this.#legacyRequest(message);
  }

  #modernRequest(message: JsonRpcRequest): void {
    const { id } = message;
    if (this.#session?.inFlight.has(id) === true) {
      this.#fail(message, new GatewayError("INVALID_REQUEST", "Another request with this id is still under way"));
      return;
    }
    const invalid = checkModernMeta(message);
    if (invalid !== undefined) {
      this.#fail(message, invalid);
      return;
    }
    const sink = this.#sink(message, () => this.#modern.delete(id));
    this.#modern.set(id, sink);
    const { router, scopes } = this.#deps.gateway;
    sink.attach(router.handle({ message, caller: modernCaller(message.params), scope: scopes.whole }, sink));
  }

  #legacyRequest(message: JsonRpcRequest): void {
    const { id, method } = message;
    if (method === "initialize") this.#initialize(message);
    else if (this.#session !== undefined)
      serveRequest(this.#deps.gateway, this.#session, message, (onDone) => this.#sink(message, onDone));
    else if (method === "ping") this.#send({ jsonrpc: "2.0", id, result: {} });
    else {
      const how = `initialize first, or send params._meta with ${META.protocolVersion}`;
      this.#fail(message, new GatewayError("INVALID_REQUEST", `There is no session yet: ${how}`));
    }
  }

  #initialize(message: JsonRpcRequest): void {
    const { gateway, logger } = this.#deps;
    try {
      const { session, result } = openSession(gateway, gateway.scopes.whole, message);
      // As servers of the SDK take it: who initializes again begins anew.
      if (this.#session !== undefined) gateway.sessions.end(this.#session.id, "the client initialized again");
      this.#session = session;
      this.#send({ jsonrpc: "2.0", id: message.id, result });
      session.listen({
        notify: (notification) => {
          this.#send(notification);
        },
        end: () => {},
      });
    } catch (error) {
      const refused = GatewayError.from(error, "INTERNAL", "no session could be opened");
      if (refused.code !== "INVALID_PARAMS") logger.warn({ err: error }, "Client session refused");
      this.#fail(message, refused);
    }
  }

  #notification(notification: JsonRpcNotification): void {
    if (notification.method === "notifications/cancelled") {
      const id = notification.params?.["requestId"];
      const reason = notification.params?.["reason"];
      const sink = typeof id === "string" || typeof id === "number" ? this.#modern.get(id) : undefined;
      sink?.cancel(typeof reason === "string" ? reason : undefined);
    }
    if (this.#session !== undefined)
      takeMessage(this.#deps.gateway, this.#session, { kind: "notification", message: notification });
  }

  #sink({ id, params }: JsonRpcRequest, onDone: () => void): ChannelSink {
    const { channel } = this.#deps;
    const deps = { channel, budget: this.#budget, onBehind: (behind: ChannelSink) => void this.#behind.add(behind) };
    const sink: ChannelSink = new ChannelSink({ id, token: progressTokenOf(params) }, deps, () => {
      this.#open.delete(sink);
      this.#behind.delete(sink);
      onDone();
      if (this.#open.size === 0) this.#onIdle();
    });
    this.#open.add(sink);
    return sink;
  }

  #fail({ id }: JsonRpcRequest, error: GatewayError): void {
    this.#send({ jsonrpc: "2.0", id, error: toJsonRpcError(error) });
  }

  #send(message: object): void {
    if (!this.#ended) this.#deps.channel.send(JSON.stringify(message));
  }
}
