import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { JsonRpcNotification, JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import type { Headers } from "../caller.js";
import type { Change } from "../changes.js";
import type { FixtureServer } from "../fixture-server.js";
import { InFlight } from "../in-flight.js";
import { LegacyPeer } from "../legacy-peer.js";
import { CODE, RpcFailure } from "../rpc-failure.js";
import { SharedExchange } from "../shared-exchange.js";
import type { ReadableMessage } from "./body.js";
import { EventStream, type EventStreamDeps } from "./event-stream.js";
import { sendEmpty, sendFailure } from "./reply.js";

/** Where clients send their messages. */
export const MESSAGES_PATH = "/messages";

interface SseClient {
  readonly stream: EventStream;
  readonly peer: LegacyPeer;
  readonly inFlight: InFlight;
  /** Resolves when its stream is closed. */
  readonly gone: Promise<void>;
}

/** HTTP+SSE of 2024-11-05: one stream for each client, which carries everything that goes to it. */
export class SseEndpoint {
  readonly #server: FixtureServer;
  readonly #streamDeps: EventStreamDeps;
  readonly #clients = new Map<string, SseClient>();
  readonly #stopListening: () => void;

  constructor(server: FixtureServer, streamDeps: EventStreamDeps) {
    this.#server = server;
    this.#streamDeps = streamDeps;
    this.#stopListening = server.offer.changes.on((change) => {
      this.#tell(change);
    });
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#clients.size;
  }

  /** Opens a client's stream, and tells it where its messages go. */
  open(res: ServerResponse): void {
    const id = randomUUID();
    const stream = new EventStream(res, this.#streamDeps);
    const peer = new LegacyPeer(this.#server, (message) => {
      stream.send(message);
    });
    const inFlight = new InFlight();
    const gone = new Promise<void>((resolve) => {
      res.once("close", () => {
        this.#clients.delete(id);
        // What is left is for nobody.
        inFlight.shutDown();
        resolve();
      });
    });
    this.#clients.set(id, { stream, peer, inFlight, gone });
    stream.sendEvent("endpoint", `${MESSAGES_PATH}?sessionId=${id}`);
  }

  /** Takes a message of the client whose stream has this id: the answer comes on the stream. */
  post(message: ReadableMessage, sessionId: string | null, { headers }: IncomingMessage, res: ServerResponse): void {
    const client = sessionId === null ? undefined : this.#clients.get(sessionId);
    if (client === undefined) {
      const what = sessionId === null ? "sessionId is missing" : "Unknown session";
      sendFailure(res, sessionId === null ? 400 : 404, new RpcFailure(CODE.invalidRequest, `${what}: open a stream`));
      return;
    }
    sendEmpty(res, 202);
    if (message.kind === "request") void this.#answer(message.message, client, headers);
    else if (message.kind === "notification") this.#notified(message.message, client);
    else client.peer.answered(message.message);
  }

  /** Ends every stream, as a server does that starts again. @returns once they are closed */
  async endStreams(): Promise<void> {
    const clients = [...this.#clients.values()];
    for (const { inFlight, stream } of clients) {
      inFlight.shutDown();
      stream.end();
    }
    await Promise.all(clients.map(async ({ gone }) => gone));
  }

  async shutDown(): Promise<void> {
    this.#stopListening();
    await this.endStreams();
  }

  #notified(received: JsonRpcNotification, { inFlight, peer }: SseClient): void {
    if (received.method === "notifications/cancelled") inFlight.cancel(received.params?.["requestId"]);
    else peer.receive(received);
  }

  async #answer(request: JsonRpcRequest, { inFlight, peer, stream }: SseClient, headers: Headers): Promise<void> {
    const exchange = new SharedExchange((message) => {
      stream.send(message);
    });
    const answer = await inFlight.during(request.id, exchange.scope, async () =>
      this.#server.answer(request, exchange, () => peer.result(request, exchange, headers)),
    );
    if (answer !== undefined) stream.send(answer.message);
  }

  #tell(change: Change): void {
    for (const { peer, stream } of this.#clients.values()) {
      const told = peer.notificationOf(change);
      if (told !== undefined) stream.send(told);
    }
  }
}
