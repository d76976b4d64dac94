import { GatewayError } from "@cortex-os/mcp-core";
import { classifyMessage, type JsonRpcResponse, type RequestId } from "@cortex-os/mcp-core/wire";
import type { Dispatcher } from "undici";
import type { AnswerSink, Exchange } from "../runtime/exchange.js";
import { answerForm, type AnswerForm } from "./answer-reader.js";
import { Deadline } from "./deadline.js";
import type { ExchangeHost, PreparedRequest } from "./exchange-host.js";
import { codeOf, connectionFailure, protocolFailure, statusFailure, timeoutFailure } from "./failures.js";

/** Most bytes of a refusal that are read; what is longer is no JSON-RPC error. */
const MAX_REFUSAL_BYTES = 256 * 1024;
/** How long an answered event stream may take to end by itself: its socket is worth more than a moment of waiting. */
const LINGER_MS = 1_000;
/** What servers say in a 400 when they do not know the session any more (2025-11-25 asks for a 404). */
const SPEAKS_OF_SESSION = /session|not initialized/i;

type Controller = Dispatcher.DispatchController;
type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>[2];

interface Refusal {
  readonly status: number;
  readonly headers: Headers;
  readonly chunks: Buffer[];
  size: number;
}

/**
 * One request to an HTTP upstream, from sending to its last byte; what the two kinds of answers have in common: deadlines,
 * cancelling, refusals, lost sessions, broken connections. It is undici's handler itself: a call creates nothing more.
 */
export abstract class UpstreamExchange implements Exchange, Dispatcher.DispatchHandler {
  protected readonly host: ExchangeHost;
  protected readonly sink: AnswerSink;
  /** What is sent, and which id the answer must have. */
  readonly request: PreparedRequest;
  readonly #deadline: Deadline;
  #controller: Controller | undefined;
  #phase: "waiting" | "sent" | "answering" | "done" = "waiting";
  #refusal: Refusal | undefined;
  /** The session id the request was sent with, to tell a lost session from a refused request. */
  #sentSession: string | undefined;
  #resent = false;
  #stopLingering: (() => void) | undefined;

  constructor(host: ExchangeHost, request: PreparedRequest, sink: AnswerSink) {
    this.host = host;
    this.request = request;
    this.sink = sink;
    this.#deadline = new Deadline(host.ports, request, (waitedMs) => this.fail(timeoutFailure(host.key, waitedMs)));
    host.begun(this);
  }

  get done(): boolean {
    return this.#phase === "done";
  }

  /** Sends the request; once more after {@link ExchangeHost.sessionLost}. */
  dispatch(sessionId: string | undefined): void {
    if (this.done) return;
    this.#sentSession = sessionId;
    this.#phase = "waiting";
    this.host.post(this.request, this);
  }

  cancel(reason?: string): void {
    if (this.done) return;
    const wasSent = this.#phase !== "waiting";
    this.#finish(true);
    if (wasSent) this.host.cancelled(this.request, reason);
  }

  resume(): void {
    this.#controller?.resume();
  }

  /** Ends the exchange with an error of ours, whatever its state. */
  fail(error: GatewayError): void {
    if (this.done) {
      this.#release(true);
      return;
    }
    const wasSent = this.#phase !== "waiting";
    this.#finish(true);
    this.broken(error);
    // A legacy upstream goes on working for a request whose connection is gone, unless it is told.
    if (wasSent && error.code === "UPSTREAM_TIMEOUT") this.host.cancelled(this.request, error.message);
  }

  /** A 2xx answer of a known form begins. */
  protected abstract answerStart(status: number, headers: Headers, form: AnswerForm): void;
  /** @returns false to wait for {@link resume} before the next chunk */
  protected abstract answerData(chunk: Buffer): boolean;
  protected abstract answerEnd(): void;
  /** A JSON-RPC error with a status that is no success; the exchange is over. */
  protected abstract answerRefused(status: number, headers: Headers, body: Buffer, response: JsonRpcResponse): void;
  /** The exchange is over without an answer, or in the middle of one. */
  protected abstract broken(error: GatewayError): void;

  /** The answer is complete. With `linger` the response is given a moment to end, so that its connection can be used again. */
  protected settle(linger = false): void {
    if (linger) this.#stopLingering = this.host.ports.timers.after(LINGER_MS, () => this.#release(true));
    this.#finish(false);
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.done) controller.abort(new Error("cancelled"));
    else this.#phase = "sent";
  }

  onResponseStart(_: Controller, status: number, headers: Headers): void {
    if (this.done || status < 200) return;
    this.#deadline.touch();
    if (status >= 300) {
      this.#refusal = { status, headers, chunks: [], size: 0 };
      return;
    }
    const contentType = single(headers["content-type"]);
    const form = answerForm(contentType);
    const encoding = single(headers["content-encoding"]);
    if (encoding !== undefined && encoding !== "identity") {
      this.fail(
        protocolFailure(this.host.key, `answered in the encoding ${JSON.stringify(encoding)}, which was not asked for`),
      );
    } else if (form === undefined) {
      const what = contentType === undefined ? "no content type" : `the content type ${JSON.stringify(contentType)}`;
      this.fail(
        protocolFailure(this.host.key, `answered HTTP ${status} with ${what} instead of JSON or an event stream`),
      );
    } else {
      this.#phase = "answering";
      this.answerStart(status, headers, form);
    }
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.done) return;
    this.#deadline.touch();
    if (this.#refusal !== undefined) this.#collect(this.#refusal, chunk);
    else if (!this.answerData(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.done) {
      this.#release(false);
      return;
    }
    const refusal = this.#refusal;
    if (refusal !== undefined) this.#refused(refusal);
    else this.answerEnd();
  }

  onResponseError(_: Controller | null, error: Error): void {
    if (this.done) {
      this.#release(false);
      return;
    }
    const sent = this.#phase !== "waiting";
    if (codeOf(error) === "UND_ERR_INVALID_ARG") {
      this.fail(
        new GatewayError("INVALID_REQUEST", "The request has headers that HTTP cannot carry", { cause: error }),
      );
      return;
    }
    const failure = connectionFailure(this.host.key, error, sent);
    this.fail(failure);
    if (!sent) this.host.unreachable(failure);
  }

  #collect(refusal: Refusal, chunk: Buffer): void {
    refusal.size += chunk.length;
    if (refusal.size <= MAX_REFUSAL_BYTES) refusal.chunks.push(chunk);
    else this.fail(statusFailure(this.host.key, refusal.status, ""));
  }

  #refused({ status, headers, chunks }: Refusal): void {
    const body = Buffer.concat(chunks);
    const text = body.toString("utf8");
    if (this.#sentSession !== undefined && !this.#resent && isSessionLoss(status, text)) {
      this.#resent = true;
      this.#refusal = undefined;
      this.#controller = undefined;
      // Until it is sent again nothing is under way: a cancel has nobody to tell.
      this.#phase = "waiting";
      this.host.sessionLost(this, this.#sentSession);
      return;
    }
    if (status === 400 || status === 404 || status === 405 || status === 406 || status === 415) this.host.refused();
    const response = status === 401 || status === 403 || status < 400 ? undefined : errorAnswer(text, this.request.id);
    if (response === undefined) {
      this.fail(statusFailure(this.host.key, status, text));
      return;
    }
    this.#finish(false);
    this.answerRefused(status, headers, body, response);
  }

  #finish(abort: boolean): void {
    this.#phase = "done";
    this.#deadline.stop();
    if (abort) this.#controller?.abort(new Error("the exchange is over"));
    if (this.#stopLingering === undefined) this.host.ended(this);
  }

  #release(abort: boolean): void {
    if (this.#stopLingering === undefined) return;
    this.#stopLingering();
    this.#stopLingering = undefined;
    if (abort) this.#controller?.abort(new Error("the exchange is over"));
    this.host.ended(this);
  }
}

/** Whether an upstream says that it does not know the session, which means that it did not carry the request out. */
function isSessionLoss(status: number, text: string): boolean {
  return status === 404 || (status === 400 && SPEAKS_OF_SESSION.test(text));
}

/** The JSON-RPC error in the body of a refusal, if it is one for this request. */
function errorAnswer(text: string, id: RequestId): JsonRpcResponse | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const classified = classifyMessage(value);
  if (classified.kind !== "response" || !("error" in classified.message)) return undefined;
  return answers(classified.message, id) ? classified.message : undefined;
}

/** Whether a response is for this request. An error may come without an id, which many servers write as `null`. */
export function answers(response: JsonRpcResponse, id: RequestId): boolean {
  const answered: unknown = response.id;
  return answered === id || ("error" in response && (answered === undefined || answered === null));
}

/** The only value of a header; the first of several. */
export function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
