import { GatewayError } from "@cortex-os/mcp-core";
import type { JsonRpcResponse } from "@cortex-os/mcp-core/wire";
import type { AskedQuestion, UpstreamQuestion } from "../asking/question.js";
import type { AnswerSink, Exchange } from "../runtime/exchange.js";
import { AnswerHead } from "./answer-head.js";
import type { AnswerForm } from "./answer-reader.js";
import { Deadline, type Expiring } from "./deadline.js";
import { EventBlocks, type EventBlock } from "./event-blocks.js";
import type { ExchangeHost, PreparedRequest } from "./exchange-host.js";
import {
  connectionFailure,
  isUnsendable,
  losesLink,
  protocolFailure,
  reasonOf,
  resumeFailure,
  statusFailure,
  timeoutFailure,
  unsendableFailure,
} from "./failures.js";
import { HeldBytes } from "./held-bytes.js";
import { doubtsEra, isSessionLoss, Refusal } from "./refusal.js";
import type { RawHeaders, ResponseReader } from "./response-reader.js";
import { Resumption } from "./resumption.js";

/** How long an answered event stream may take to end by itself: its socket is worth more than a moment of waiting. */
const LINGER_MS = 1_000;

/**
 * One request to an HTTP upstream, from sending to its last byte; what the two kinds of answers have in common: deadlines,
 * cancelling, refusals, lost sessions, broken connections, event streams and their resumption. It reads the response itself:
 * a call answered with JSON creates nothing more.
 */
export abstract class UpstreamExchange implements Exchange, Expiring, ResponseReader {
  protected readonly host: ExchangeHost;
  protected readonly sink: AnswerSink;
  /** What is sent, and which id the answer must have. */
  readonly request: PreparedRequest;
  readonly deadline: Deadline;
  /** Breaks the request off; absent until it was sent. */
  #abort: ((reason?: Error) => void) | undefined;
  #readOn: (() => void) | undefined;
  /** `pausing` between two connections of one event stream, `resuming` until the second one answers. */
  #phase: "waiting" | "sent" | "answering" | "pausing" | "resuming" | "done" = "waiting";
  #refusal: Refusal | undefined;
  #events: EventBlocks | undefined;
  #resumption: Resumption | undefined;
  #held: HeldBytes | undefined;
  #isBehind = false;
  /** The session id the request was sent with, to tell a lost session from a refused request. */
  #sentSession: string | undefined;
  #resent = false;
  #stopLingering: (() => void) | undefined;
  #stopPausing: (() => void) | undefined;

  constructor(host: ExchangeHost, request: PreparedRequest, sink: AnswerSink) {
    this.host = host;
    this.request = request;
    this.sink = sink;
    this.deadline = new Deadline(host.ports.monotonic, request);
    host.begun(this);
  }

  get done(): boolean {
    return this.#phase === "done";
  }

  expired(limitMs: number): void {
    this.fail(timeoutFailure(this.host.key, limitMs));
  }

  /** Where the answer waits until there is enough of it; given up with the exchange. */
  protected get held(): HeldBytes {
    this.#held ??= new HeldBytes(this.host.key, this.request.maxBytes, this.host.budget);
    return this.#held;
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
    if (this.#phase === "answering") this.#readOn?.(); // Afterwards the connection is another's.
  }

  ask(question: UpstreamQuestion): AskedQuestion | undefined {
    return this.done ? undefined : this.sink.ask(question);
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

  /** A 2xx answer of a known form begins; once, also when its stream is resumed. */
  protected abstract answerStart(head: AnswerHead, form: AnswerForm): void;
  /** Bytes of a JSON answer. @returns false to wait for {@link resume} before the next chunk */
  protected abstract answerData(chunk: Buffer): boolean;
  /** The JSON answer is there. */
  protected abstract answerEnd(): void;
  /** A message, or several, on an event stream. @returns false as {@link answerData} */
  protected abstract answerEvent(data: string, bytes: Buffer): boolean;
  /** A comment on an event stream, or an event that is no message. @returns false as {@link answerData} */
  protected abstract answerAside(bytes: Buffer): boolean;
  /** A JSON-RPC error with a status that is no success; the exchange is over. */
  protected abstract answerRefused(refusal: Refusal, response: JsonRpcResponse): void;
  /** The exchange is over without an answer, or in the middle of one. */
  protected abstract broken(error: GatewayError): void;

  /** The answer is complete. An event stream is given a moment to end, so that its connection can be used again. */
  protected settle(): void {
    if (this.#events !== undefined) {
      this.#stopLingering = this.host.ports.timers.after(LINGER_MS, () => this.#release(true));
    }
    this.#finish(false);
  }

  onConnect(abort: (reason?: Error) => void): void {
    this.#abort = abort;
    if (this.done) abort(new Error("cancelled"));
    else if (this.#phase === "waiting") this.#phase = "sent";
  }

  onHeaders(status: number, headers: RawHeaders, resume: () => void): true {
    this.#readOn = resume;
    if (!this.done && status >= 200) this.#begins(new AnswerHead(status, headers));
    return true;
  }

  #begins(head: AnswerHead): void {
    const { form, status } = head;
    const isResumed = this.#phase === "resuming";
    if (isResumed && (status >= 300 || form !== "sse")) {
      this.fail(resumeFailure(this.host.key, `it answered HTTP ${status} without an event stream`));
      return;
    }
    // An upstream that is asked again and again must not count as one that makes progress.
    if (!isResumed) this.deadline.touch();
    if (status >= 300) {
      this.#refusal = new Refusal(this.host.key, head);
      return;
    }
    if (form === undefined || head.hasForeignEncoding) {
      this.fail(protocolFailure(this.host.key, head.describe()));
      return;
    }
    this.#phase = "answering";
    if (form === "sse") this.#events = new EventBlocks(this.held, (block) => this.#block(block));
    if (!isResumed) this.answerStart(head, form);
  }

  onData(chunk: Buffer): boolean {
    if (this.done) return true;
    if (this.#events !== undefined) return this.#read(this.#events, chunk);
    this.deadline.touch();
    if (this.#refusal === undefined) return this.answerData(chunk);
    if (!this.#refusal.push(chunk)) this.fail(statusFailure(this.host.key, this.#refusal.status, ""));
    return true;
  }

  onComplete(): void {
    if (this.done) this.#release(false);
    else if (this.#refusal !== undefined) this.#refused(this.#refusal);
    else if (this.#events !== undefined) this.#streamEnded();
    else this.answerEnd();
  }

  onError(error: Error): void {
    if (this.done) {
      this.#release(false);
      return;
    }
    const { key } = this.host;
    const sent = this.#abort !== undefined;
    if (this.#phase === "answering" && this.#events !== undefined) this.#streamEnded(error);
    else if (this.#phase === "resuming") this.fail(resumeFailure(key, reasonOf(error), error));
    else if (isUnsendable(error)) this.fail(unsendableFailure(error));
    else this.fail(connectionFailure(key, error, sent));
    if (losesLink(error, sent)) this.host.unreachable(connectionFailure(key, error, false));
  }

  /** @returns false when the reader is behind */
  #read(events: EventBlocks, chunk: Buffer): boolean {
    try {
      events.push(chunk);
    } catch (error) {
      this.fail(GatewayError.from(error, "INTERNAL", "The answer could not be passed on"));
    }
    const isBehind = this.#isBehind && !this.done;
    this.#isBehind = false;
    if (this.done) this.#held?.clear();
    return !isBehind;
  }

  /** @returns false when nothing more is wanted: what follows the answer has nobody to go to */
  #block(block: EventBlock): boolean {
    const { bytes, data } = block;
    this.#resumption ??= new Resumption();
    this.#resumption.note(block);
    let goesOn = true;
    if (data !== undefined) {
      // Comments keep a connection open and are no progress.
      this.deadline.touch();
      this.#resumption.progressed();
      goesOn = this.answerEvent(data, bytes);
    } else if (bytes.length > 0) goesOn = this.answerAside(bytes);
    this.#isBehind ||= !goesOn;
    return !this.done;
  }

  /** An event stream ended, or broke, without the answer. */
  #streamEnded(error?: Error): void {
    const { key, ports } = this.host;
    // Streams of the modern era cannot be resumed (2026-07-28, Streamable HTTP, Receiving Messages).
    const next = this.request.session === undefined ? undefined : this.#resumption?.next();
    if (next === undefined) {
      const what = "ended its response without an answer to the request";
      this.fail(error === undefined ? protocolFailure(key, what) : connectionFailure(key, error, true));
      return;
    }
    this.#held?.clear();
    this.#abort = undefined;
    this.#phase = "pausing";
    const stop = ports.timers.after(next.delayMs, () => this.#ask(next.lastId));
    this.#stopPausing = stop;
    // It wants to be polled; one whose connection broke does not.
    if (error !== undefined) return;
    this.sink.pollLater?.(next.delayMs, () => {
      if (!next.mayHurry || this.#phase !== "pausing" || this.#stopPausing !== stop) return;
      stop();
      this.#ask(next.lastId);
    });
  }

  /** Goes on with an event stream on another connection. */
  #ask(lastId: string): void {
    this.#phase = "resuming";
    if (!this.host.resume(this.request, this.#sentSession, lastId, this))
      this.fail(resumeFailure(this.host.key, "its session is over"));
  }

  #refused(refusal: Refusal): void {
    const { status } = refusal;
    const text = refusal.body.toString("utf8");
    const response = refusal.errorFor(this.request.id);
    if (this.#sentSession !== undefined && !this.#resent && isSessionLoss(status, text, response)) {
      this.#resent = true;
      this.#refusal = undefined;
      this.#abort = undefined;
      // Until it is sent again nothing is under way: a cancel has nobody to tell.
      this.#phase = "waiting";
      this.host.sessionLost(this, this.#sentSession);
      return;
    }
    if (doubtsEra(status)) this.host.refused();
    if (response === undefined) {
      this.fail(statusFailure(this.host.key, status, text));
      return;
    }
    this.#finish(false);
    this.host.answered(this.request, response);
    this.answerRefused(refusal, response);
  }

  #finish(abort: boolean): void {
    this.#phase = "done";
    this.host.settled(this);
    this.#stopPausing?.();
    this.#held?.clear();
    if (abort) this.#abort?.(new Error("the exchange is over"));
    if (this.#stopLingering === undefined) this.host.ended(this);
  }

  #release(abort: boolean): void {
    if (this.#stopLingering === undefined) return;
    this.#stopLingering();
    this.#stopLingering = undefined;
    if (abort) this.#abort?.(new Error("the exchange is over"));
    this.host.ended(this);
  }
}
