import type { ServerResponse } from "node:http";
import type { Exchange } from "@cortex-os/mcp-bridge";
import { GatewayError, toJsonRpcError, type Roster } from "@cortex-os/mcp-core";
import type { JsonRpcNotification, JsonRpcResponse, RequestId } from "@cortex-os/mcp-core/wire";
import type { MessageToClient } from "../gateway/client-questions.js";
import type { ClientSink } from "../gateway/client-sink.js";
import { tooDeep } from "./answer-errors.js";
import type { ClientStream } from "./client-stream.js";
import { HeldJson, MAX_HELD_BYTES } from "./held-json.js";
import type { Unanswered } from "./open-answers.js";
import type { SessionStreams } from "./session-streams.js";

/** What a {@link BatchAnswer} works through. */
export interface BatchDeps {
  /** The session's. */
  readonly streams: SessionStreams;
  /** Every member is in it until it is done, so that a shutdown can answer in its stead. */
  readonly unanswered?: Roster<Unanswered>;
}

/** The answer to a batch: one event stream that has each answer as soon as it is there, and ends with the last. */
export class BatchAnswer {
  readonly #response: ServerResponse;
  readonly #deps: BatchDeps;
  readonly #stream: ClientStream;
  readonly #open = new Set<BatchMember>();
  readonly #budget = { left: MAX_HELD_BYTES };
  #isWhole = false;

  constructor(response: ServerResponse, deps: BatchDeps) {
    this.#response = response;
    this.#deps = deps;
    const owner = {
      resume: (): void => {},
      giveUp: (reason: string): void => {
        for (const member of [...this.#open]) member.cancel(reason);
      },
    };
    // All that a batch may hold may have to wait for its reader at once: what it held is not lost for that.
    this.#stream = deps.streams.begin(response, owner, MAX_HELD_BYTES);
  }

  /** Where one request's answer goes. @param onDone called once, when it is answered, given up or cancelled */
  member(id: RequestId, onDone: () => void): BatchMember {
    const member: BatchMember = new BatchMember(id, this.#stream, this.#budget, () => {
      this.#open.delete(member);
      this.#deps.unanswered?.delete(member);
      onDone();
      this.#endWhenDone();
    });
    this.#open.add(member);
    this.#deps.unanswered?.add(member);
    return member;
  }

  /** Every request has its member: the stream may end. */
  complete(): void {
    this.#isWhole = true;
    // The client may have gone before anything was asked of it.
    if (this.#response.destroyed) this.#stream.lost();
    this.#endWhenDone();
  }

  #endWhenDone(): void {
    if (this.#isWhole && this.#open.size === 0) this.#stream.end();
  }
}

/** One request's part of a {@link BatchAnswer}. An upstream's event stream is passed on event by event, its JSON as one event. */
export class BatchMember implements ClientSink {
  readonly #id: RequestId;
  readonly #stream: ClientStream;
  readonly #held: HeldJson;
  readonly #onDone: () => void;
  #exchange: Exchange | undefined;
  #isStream = false;
  #done = false;

  constructor(id: RequestId, stream: ClientStream, budget: { left: number }, onDone: () => void) {
    this.#id = id;
    this.#stream = stream;
    this.#held = new HeldJson(budget);
    this.#onDone = onDone;
  }

  /** Ties the member to what it answers. */
  attach(exchange: Exchange): void {
    this.#exchange = exchange;
  }

  /** Given up: no answer follows. */
  cancel(reason?: string): void {
    if (this.#done) return;
    this.#exchange?.cancel(reason);
    this.#finish();
  }

  /** Answers with `error` and gives up what was under way. */
  shutDown(error: GatewayError): void {
    if (this.#done) return;
    this.#exchange?.cancel(error.message);
    this.fail(error);
  }

  start(_status: number, headers: Readonly<Record<string, string>>): void {
    this.#isStream = headers["content-type"]?.startsWith("text/event-stream") === true;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#done) return true;
    // The bridge writes whole events only. A reader that is behind is the stream's to deal with.
    if (this.#isStream) this.#stream.pass(chunk);
    else this.#hold(chunk);
    return true;
  }

  end(): void {
    if (this.#done) return;
    if (!this.#isStream) this.#stream.pass(this.#held.event());
    this.#finish();
  }

  notify(notification: JsonRpcNotification): void {
    if (!this.#done) this.#stream.send(notification);
  }

  tell(message: MessageToClient): boolean {
    return !this.#done && this.#stream.send(message);
  }

  respond(response: JsonRpcResponse): void {
    if (this.#done) return;
    if (!this.#stream.send(response)) this.#stream.send(this.#errorAnswer(tooDeep()));
    this.#finish();
  }

  sendResult(id: RequestId, result: readonly Buffer[]): void {
    if (this.#done) return;
    this.#sendText(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${Buffer.concat(result).toString("utf8")}}`);
    this.#finish();
  }

  fail(error: GatewayError): void {
    if (this.#done) return;
    this.#stream.send(this.#errorAnswer(error));
    this.#finish();
  }

  /** What was held of the answer was not sent: the failure can be. */
  abort(error: GatewayError): void {
    this.fail(error);
  }

  #hold(chunk: Uint8Array): void {
    if (this.#held.push(chunk)) return;
    const message = `The answers of this batch are larger than ${MAX_HELD_BYTES} bytes; send one request at a time`;
    this.fail(new GatewayError("UPSTREAM_LIMIT", message));
    this.#exchange?.cancel("the answer is too large for a batch");
  }

  #sendText(text: string): void {
    this.#stream.pass(Buffer.from(`event: message\ndata: ${text}\n\n`));
  }

  #errorAnswer(error: GatewayError): JsonRpcResponse {
    return { jsonrpc: "2.0", id: this.#id, error: toJsonRpcError(error) };
  }

  #finish(): void {
    this.#done = true;
    this.#held.clear();
    this.#onDone();
  }
}
