import { GatewayError } from "@cortex-os/mcp-core";
import {
  META,
  metaOf,
  progressTokenOf,
  resultForClient,
  type ClassifiedMessage,
  type Era,
  type JsonObject,
  type JsonRpcNotification,
  type JsonRpcResponse,
  type RequestId,
} from "@cortex-os/mcp-core/wire";
import type { AnswerSink } from "../runtime/exchange.js";
import { answerReader, type AnswerForm, type AnswerReader } from "./answer-reader.js";
import type { ExchangeHost, PreparedRequest } from "./exchange-host.js";
import { protocolFailure } from "./failures.js";
import { answers, UpstreamExchange } from "./upstream-exchange.js";

/** JSON-RPC code of a modern upstream that misses a mirrored header: its tool has changed (2026-07-28, Client Behavior). */
const HEADER_MISMATCH = -32_020;

/** What the answer must be turned back into for the one who asked. */
export interface AnswerShape {
  /** The caller's own request id. */
  readonly id: RequestId;
  /** The params as the caller sent them: its progress token, and whether it wants log messages. */
  readonly params: JsonObject | undefined;
  readonly callerEra: Era;
  readonly upstreamEra: Era;
  /** Longest message in bytes. */
  readonly maxBytes: number;
}

/**
 * A request whose answer is read: the caller speaks another era than the upstream, or shares its session with others, so
 * that ids and progress tokens were replaced on the way out and are put back here.
 */
export class MessageExchange extends UpstreamExchange {
  readonly #shape: AnswerShape;
  readonly #token: string | number | undefined;
  #reader: AnswerReader | undefined;
  #form: AnswerForm = "json";

  constructor(host: ExchangeHost, request: PreparedRequest, sink: AnswerSink, shape: AnswerShape) {
    super(host, request, sink);
    this.#shape = shape;
    this.#token = progressTokenOf(shape.params);
  }

  protected override answerStart(_: number, __: object, form: AnswerForm): void {
    this.#form = form;
    this.#reader = answerReader(form, this.host.key, this.#shape.maxBytes, (message) => this.#message(message));
  }

  protected override answerData(chunk: Buffer): boolean {
    this.#read((reader) => reader.push(chunk));
    return true;
  }

  protected override answerEnd(): void {
    this.#read((reader) => reader.end());
    if (!this.done) this.fail(protocolFailure(this.host.key, "ended its response without an answer to the request"));
  }

  protected override answerRefused(_: number, __: object, ___: Buffer, response: JsonRpcResponse): void {
    this.#respond(response);
  }

  protected override broken(error: GatewayError): void {
    this.sink.fail(error);
  }

  #read(step: (reader: AnswerReader) => void): void {
    try {
      if (this.#reader !== undefined) step(this.#reader);
    } catch (error) {
      this.fail(GatewayError.from(error, "INTERNAL", "The answer could not be passed on"));
    }
  }

  #message(classified: Exclude<ClassifiedMessage, { kind: "invalid" }>): void {
    if (this.done) return;
    const { kind, message } = classified;
    if (kind === "request") this.host.refuse(this.request, message.id, message.method);
    else if (kind === "notification") this.#notification(message);
    else if (answers(message, this.request.id)) {
      this.settle(this.#form === "sse");
      this.#respond(message);
    } else {
      this.fail(protocolFailure(this.host.key, "answered another request than the one it was asked"));
    }
  }

  #notification(notification: JsonRpcNotification): void {
    const { method, params } = notification;
    if (method === "notifications/tools/list_changed") this.host.listChanged();
    else if (method === "notifications/progress") this.#progress(params);
    else if (method === "notifications/message" && this.#wantsLog()) this.sink.notify(notification);
  }

  /** Progress of somebody else's request, or of none, is dropped. */
  #progress(params: JsonObject | undefined): void {
    if (this.#token === undefined || params?.["progressToken"] !== this.request.id) return;
    this.sink.notify({
      jsonrpc: "2.0",
      method: "notifications/progress",
      params: { ...params, progressToken: this.#token },
    });
  }

  /** Modern clients get log messages only for requests that ask for them (2026-07-28, logging). */
  #wantsLog(): boolean {
    return this.#shape.callerEra === "legacy" || metaOf(this.#shape.params)?.[META.logLevel] !== undefined;
  }

  #respond(response: JsonRpcResponse): void {
    const { id, callerEra, upstreamEra } = this.#shape;
    if ("error" in response) {
      if (response.error.code === HEADER_MISMATCH) this.host.listChanged();
      this.sink.respond({ jsonrpc: "2.0", id, error: response.error });
      return;
    }
    const converted = resultForClient(response.result, upstreamEra, callerEra);
    if (converted.ok) this.sink.respond({ jsonrpc: "2.0", id, result: converted.result });
    else this.sink.respond({ jsonrpc: "2.0", id, error: converted.error });
  }
}
