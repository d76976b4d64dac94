import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { GatewayError } from "@cortex-os/mcp-core";
import { ChannelClient, MAX_HELD_BYTES } from "../gateway/channel-client.js";
import { isJson } from "./content-type.js";
import type { McpEndpointDeps } from "./mcp-endpoint.js";
import type { Unanswered } from "./open-answers.js";
import { readBody } from "./read-body.js";
import { refuseBody } from "./refuse-body.js";
import { sendEmpty, sendError } from "./respond.js";
import { onlyGet, type Handler } from "./routes.js";
import { SseResponse } from "./sse-response.js";

const EVENTS = "/sse";
const MESSAGES = "/messages";
const PREFIX = Buffer.from("event: message\ndata: ");
const END = Buffer.from("\n\n");

/**
 * The transport of 2024-11-05, HTTP with SSE: one stream for all that the server says, and an address for what the client says, which only the stream's owner is told.
 * A stream is a conversation: it ends with it.
 */
export class LegacySse {
  readonly #deps: McpEndpointDeps;
  readonly #open = new Map<string, SseConversation>();

  constructor(deps: McpEndpointDeps) {
    this.#deps = deps;
  }

  get routes(): Readonly<Record<string, Handler>> {
    return {
      [EVENTS]: onlyGet((_request, response) => {
        this.#listen(response);
      }),
      [MESSAGES]: (request, response) => {
        this.#post(request, response);
      },
    };
  }

  /** Ends the streams of those who wait for nothing; of the others when it is called again. */
  endIdle(): void {
    for (const conversation of this.#open.values()) conversation.endWhenIdle();
  }

  #listen(response: ServerResponse): void {
    // 256 random bits: knowing it is having been told it.
    const id = randomBytes(32).toString("base64url");
    const conversation = new SseConversation(response, this.#deps);
    this.#open.set(id, conversation);
    this.#deps.unanswered?.add(conversation);
    response.once("close", () => {
      this.#open.delete(id);
      this.#deps.unanswered?.delete(conversation);
      conversation.end();
    });
    conversation.open(`${MESSAGES}?sessionId=${id}`);
  }

  #post(request: IncomingMessage, response: ServerResponse): void {
    const { metrics, maxBodyBytes, timers } = this.#deps;
    if (request.method !== "POST") {
      sendEmpty(response, 405, { allow: "POST" });
      return;
    }
    const id = new URL(request.url ?? "", "http://gateway").searchParams.get("sessionId");
    const conversation = id === null ? undefined : this.#open.get(id);
    if (conversation === undefined) {
      metrics.rejected("session");
      sendError(response, 404, new GatewayError("INVALID_REQUEST", "There is no such stream: open one at /sse"));
      return;
    }
    if (!isJson(request.headers["content-type"])) {
      metrics.rejected("headers");
      sendError(response, 415, new GatewayError("INVALID_REQUEST", "Content-Type must be application/json"));
      return;
    }
    readBody(request, maxBodyBytes, (failure, body) => {
      if (failure === undefined) {
        // What comes of it comes on the stream.
        sendEmpty(response, conversation.receive(body) ? 202 : 400);
        return;
      }
      metrics.rejected("body");
      const message = `The body is larger than ${maxBodyBytes} bytes`;
      if (failure === "broken") response.destroy();
      else refuseBody(request, response, timers, new GatewayError("INVALID_REQUEST", message));
    });
  }
}

/** One client's stream and what it asked. */
class SseConversation implements Unanswered {
  readonly #sse: SseResponse;
  readonly #client: ChannelClient;

  constructor(response: ServerResponse, { keepAlive, slowReaderMs, ...deps }: McpEndpointDeps) {
    const sse = new SseResponse(response, { keepAlive, slowReaderMs, maxWaitingBytes: MAX_HELD_BYTES });
    const channel = {
      get isBehind() {
        return response.writableNeedDrain;
      },
      send: (message: string | readonly Uint8Array[]) => {
        const pieces = typeof message === "string" ? [Buffer.from(message)] : message;
        sse.pass(Buffer.concat([PREFIX, ...pieces, END]));
      },
    };
    this.#sse = sse;
    this.#client = new ChannelClient({ ...deps, channel });
    response.on("drain", () => {
      this.#client.resume();
    });
  }

  /** Says where the client's messages go (2024-11-05, Transports, HTTP with SSE). */
  open(address: string): void {
    this.#sse.pass(Buffer.from(`event: endpoint\ndata: ${address}\n\n`));
  }

  /** @returns false when it was no message */
  receive(body: Buffer): boolean {
    return this.#client.receive(body);
  }

  endWhenIdle(): void {
    if (!this.#client.isBusy) this.#sse.end();
  }

  shutDown(error: GatewayError): void {
    this.#client.shutDown(error);
  }

  end(): void {
    this.#client.end("the client disconnected");
  }
}
