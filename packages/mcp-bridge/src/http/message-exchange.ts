import { GatewayError } from "@cortex-os/mcp-core";
import {
  changedFeature,
  errorForClient,
  MAX_JSON_DEPTH,
  progressTokenOf,
  resultForClient,
  type ClassifiedMessage,
  type Era,
  type JsonObject,
  type JsonRpcNotification,
  type JsonRpcResponse,
  type LogLevel,
  type RequestId,
} from "@cortex-os/mcp-core/wire";
import { isOfProtocol, isResourceUpdate } from "../listening/notifications.js";
import { isLog, isLogFor } from "../log-levels.js";
import type { AnswerSink } from "../runtime/exchange.js";
import { answers, readMessages } from "./answer-reader.js";
import type { ExchangeHost, PreparedRequest } from "./exchange-host.js";
import { protocolFailure } from "./failures.js";
import type { Refusal } from "./refusal.js";
import { UpstreamExchange } from "./upstream-exchange.js";

/** What the answer must be turned back into for the one who asked. */
export interface AnswerShape {
  /** The caller's own request id. */
  readonly id: RequestId;
  /** The params as the caller sent them: its progress token. */
  readonly params: JsonObject | undefined;
  readonly callerEra: Era;
  readonly upstreamEra: Era;
  /** From which level on the caller gets log messages of this request; `undefined` for none. */
  readonly logLevel: LogLevel | undefined;
  /** Whether it is the gateway itself who asked: then nothing is passed on, and the reader looks how deeply it is nested. */
  readonly isOwn?: boolean;
}

/**
 * A request whose answer is read: the caller speaks another era than the upstream, or shares its session with others, so
 * that ids and progress tokens were replaced on the way out and are put back here.
 */
export class MessageExchange extends UpstreamExchange {
  readonly #shape: AnswerShape;
  readonly #token: string | number | undefined;

  constructor(host: ExchangeHost, request: PreparedRequest, sink: AnswerSink, shape: AnswerShape) {
    super(host, request, sink);
    this.#shape = shape;
    this.#token = progressTokenOf(shape.params);
  }

  protected override answerStart(): void {}

  protected override answerData(chunk: Buffer): boolean {
    this.#orFail(() => this.held.push(chunk));
    return true;
  }

  protected override answerEnd(): void {
    this.#orFail(() => {
      const { length } = this.held;
      this.#read(this.held.take().toString("utf8"), length);
    });
    if (!this.done) this.fail(protocolFailure(this.host.key, "ended its response without an answer to the request"));
  }

  protected override answerEvent(data: string, bytes: Buffer): boolean {
    this.#read(data, bytes.length);
    return true;
  }

  protected override answerAside(): boolean {
    return true;
  }

  protected override answerRefused(_: Refusal, response: JsonRpcResponse): void {
    this.#respond(response);
  }

  protected override broken(error: GatewayError): void {
    this.sink.fail(error);
  }

  #orFail(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.fail(GatewayError.from(error, "INTERNAL", "The answer could not be passed on"));
    }
  }

  #read(text: string, bytes: number): void {
    const maxDepth = this.#shape.isOwn === true ? undefined : MAX_JSON_DEPTH;
    readMessages(this.host.key, text, (message) => this.#message(message, bytes), maxDepth);
  }

  #message(classified: Exclude<ClassifiedMessage, { kind: "invalid" }>, bytes: number): void {
    if (this.done) return;
    const { kind, message } = classified;
    if (kind === "request") this.host.asked(this, message, bytes);
    else if (kind === "notification") this.#notification(message);
    else if (answers(message, this.request.id)) {
      this.settle();
      this.host.answered(this.request, message);
      this.#respond(message);
    } else {
      this.fail(protocolFailure(this.host.key, "answered another request than the one it was asked"));
    }
  }

  #notification(notification: JsonRpcNotification): void {
    const { method, params } = notification;
    const changed = changedFeature(method);
    if (method === "notifications/cancelled") this.host.withdrawn(this.request, params);
    else if (changed !== undefined) this.host.listChanged(changed);
    else if (isResourceUpdate(notification)) this.host.told(notification);
    else if (method === "notifications/progress") this.#progress(params);
    else if (isLog(notification) ? isLogFor(this.#shape.logLevel, notification) : !isOfProtocol(method))
      this.sink.notify(notification);
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

  #respond(response: JsonRpcResponse): void {
    const { id, callerEra, upstreamEra } = this.#shape;
    const route = { upstream: upstreamEra, client: callerEra, method: this.request.method };
    if ("error" in response) {
      this.sink.respond({ jsonrpc: "2.0", id, error: errorForClient(response.error, route) });
      return;
    }
    this.sink.original?.(response.result);
    const converted = resultForClient(response.result, route);
    if (converted.ok) this.sink.respond({ jsonrpc: "2.0", id, result: converted.result });
    else this.sink.respond({ jsonrpc: "2.0", id, error: converted.error });
  }
}
