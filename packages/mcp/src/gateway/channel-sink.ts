import type { Exchange } from "@cortex-os/mcp-bridge";
import { GatewayError, toJsonRpcError } from "@cortex-os/mcp-core";
import {
  classifyMessage,
  SseParser,
  type JsonRpcNotification,
  type JsonRpcResponse,
  type RequestId,
} from "@cortex-os/mcp-core/wire";
import { belongsToRequest } from "./belongs-to-request.js";
import type { MessageToClient } from "./client-questions.js";
import type { LegacySink } from "./legacy-client.js";

/** The way out that all answers to one client share: whole messages, one after the other. */
export interface MessageChannel {
  /** Sends one message: JSON without line breaks, as text or in pieces of UTF-8. */
  send(message: string | readonly Uint8Array[]): void;
  /** Whether its reader is behind, so that whoever can should wait. */
  readonly isBehind: boolean;
}

/** What of a request tells what is its own. */
export interface ChannelRequest {
  readonly id: RequestId;
  /** Its progress token, when it asks for progress. */
  readonly token?: string | number | undefined;
}

/** What the sinks of one client share. */
export interface ChannelSinkDeps {
  readonly channel: MessageChannel;
  /** Bytes of answers that may still be held because they can be passed on only whole. */
  readonly budget: { left: number };
  /** Told before a sink lets its upstream wait; `resume` it when the channel's reader has caught up. */
  readonly onBehind: (sink: ChannelSink) => void;
}

/**
 * The answer to one request of a client whose messages all share one channel. An upstream's bytes become messages here: its JSON is held until it is whole, its
 * events are passed on one by one. What is no message of this request never reaches the channel, where it would be taken for somebody else's.
 */
export class ChannelSink implements LegacySink {
  readonly #id: RequestId;
  readonly #token: string | number | undefined;
  readonly #deps: ChannelSinkDeps;
  readonly #onDone: () => void;
  #exchange: Exchange | undefined;
  #events: SseParser | undefined;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #done = false;

  /** @param onDone called once, when it is answered, given up or cancelled */
  constructor({ id, token }: ChannelRequest, deps: ChannelSinkDeps, onDone: () => void) {
    this.#id = id;
    this.#token = token;
    this.#deps = deps;
    this.#onDone = onDone;
  }

  attach(exchange: Exchange): void {
    this.#exchange = exchange;
  }

  cancel(reason?: string): void {
    if (this.#done) return;
    // First: what was asked beside the answer is taken back by the same way.
    this.#exchange?.cancel(reason);
    this.#finish();
  }

  /** Answers with `error` and gives up what was under way. */
  shutDown(error: GatewayError): void {
    if (this.#done) return;
    this.#exchange?.cancel(error.message);
    this.fail(error);
  }

  /** The channel's reader has caught up. */
  resume(): void {
    if (!this.#done) this.#exchange?.resume();
  }

  start(_status: number, headers: Readonly<Record<string, string>>): void {
    if (headers["content-type"]?.startsWith("text/event-stream") !== true) return;
    this.#events = new SseParser(({ data }) => {
      this.#onEvent(data);
    });
  }

  write(chunk: Uint8Array): boolean {
    if (this.#done) return true;
    if (this.#events === undefined) this.#hold(chunk);
    else this.#read(this.#events, chunk);
    if (this.#done || !this.#deps.channel.isBehind) return true;
    this.#deps.onBehind(this);
    return false;
  }

  end(): void {
    if (this.#done) return;
    if (this.#events === undefined) this.#sendHeld();
    if (!this.#done) this.fail(unusable("ended without an answer"));
  }

  notify(notification: JsonRpcNotification): void {
    if (this.#done) return;
    const text = encoded(notification);
    if (text !== undefined) this.#deps.channel.send(text);
  }

  tell(message: MessageToClient): boolean {
    if (this.#done) return false;
    const text = encoded(message);
    if (text !== undefined) this.#deps.channel.send(text);
    return text !== undefined;
  }

  respond(response: JsonRpcResponse): void {
    if (this.#done) return;
    const text = encoded(response);
    if (text === undefined) this.fail(unusable("is nested too deeply to be passed on"));
    else this.#answer(text);
  }

  sendResult(id: RequestId, result: readonly Buffer[]): void {
    if (this.#done) return;
    this.#answer([Buffer.from(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`), ...result, CLOSE]);
  }

  fail(error: GatewayError): void {
    if (this.#done) return;
    this.#answer(JSON.stringify({ jsonrpc: "2.0", id: this.#id, error: toJsonRpcError(error) }));
  }

  /** Half an answer was not sent: the failure can be. */
  abort(error: GatewayError): void {
    this.fail(error);
  }

  #hold(chunk: Uint8Array): void {
    this.#deps.budget.left -= chunk.length;
    this.#heldBytes += chunk.length;
    this.#held.push(chunk);
    if (this.#deps.budget.left < 0) this.#giveUp();
  }

  #read(events: SseParser, chunk: Uint8Array): void {
    try {
      events.push(chunk);
    } catch {
      this.#giveUp();
    }
  }

  #giveUp(): void {
    const message =
      "The connector's answers that wait to be whole are too large together; ask for less, or for one at a time";
    this.shutDown(new GatewayError("UPSTREAM_LIMIT", message));
  }

  #sendHeld(): void {
    // The byte order mark of servers that do not know better counts as white space here.
    const text = Buffer.concat(this.#held, this.#heldBytes).toString("utf8").trim();
    this.#onEvent(text);
  }

  /** A message, or several as an array, as the upstream wrote it. */
  #onEvent(text: string): void {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return;
    }
    if (!Array.isArray(value)) this.#pass(value, text);
    else for (const member of value) this.#pass(member, JSON.stringify(member));
  }

  #pass(value: unknown, text: string): void {
    if (this.#done) return;
    const classified = classifyMessage(value);
    // Raw line breaks are only white space in JSON.
    if (classified.kind === "notification" && belongsToRequest(classified.message, this.#token))
      this.#deps.channel.send(inOneLine(text));
    if (classified.kind !== "response") return;
    const { message } = classified;
    if (message.id === undefined || message.id === null) this.respond({ ...message, id: this.#id });
    else if (message.id === this.#id) this.#answer(inOneLine(text));
  }

  #answer(message: string | readonly Uint8Array[]): void {
    this.#finish();
    this.#deps.channel.send(message);
  }

  #finish(): void {
    this.#done = true;
    this.#deps.budget.left += this.#heldBytes;
    this.#held = [];
    this.#heldBytes = 0;
    this.#onDone();
  }
}

const CLOSE = Buffer.from("}");

const unusable = (problem: string): GatewayError =>
  new GatewayError("UPSTREAM_PROTOCOL", `The connector's answer ${problem}`);

const inOneLine = (json: string): string => json.replaceAll(/[\r\n]+/g, " ");

/** `undefined` for what some upstream nested thousands of levels deep: `JSON.stringify` gives up on it, although `JSON.parse` read it. */
function encoded(message: object): string | undefined {
  try {
    return JSON.stringify(message);
  } catch {
    return undefined;
  }
}
