import type { AskedQuestion, Exchange, UpstreamQuestion } from "@cortex-os/mcp-bridge";
import type { GatewayError, GatewayErrorCode, Monotonic } from "@cortex-os/mcp-core";
import type { Era, JsonRpcNotification, JsonRpcResponse, RequestId } from "@cortex-os/mcp-core/wire";
import type { PackedResult, ReadySink } from "../connectors/upstream.js";
import type { MessageToClient } from "./client-questions.js";
import type { ClientSink } from "./client-sink.js";
import type { SessionStore } from "./session-store.js";

/**
 * How a request can end: `answered` (whatever the upstream said), `failed` (an error of ours), `broken` (bytes that stopped half-way) or
 * `cancelled` (its client asked for that, or went away).
 */
export const CALL_OUTCOMES = ["answered", "failed", "broken", "cancelled"] as const;

/** One of {@link CALL_OUTCOMES}. */
export type CallOutcome = (typeof CALL_OUTCOMES)[number];

/** How one request of a client ended. */
export interface EndedRequest {
  /** As the client said it. */
  readonly method: string;
  readonly era: Era;
  /** The key of the connector to whose own address it came; absent when it came to that of all. */
  readonly scope?: string | undefined;
  /** The key of the connector it was forwarded to; absent when the gateway answered itself. */
  readonly connector?: string | undefined;
  readonly outcome: CallOutcome;
  /** From its arrival to the last byte of its answer. */
  readonly seconds: number;
  /** The code of the error of ours it ended with. */
  readonly code?: GatewayErrorCode | undefined;
}

/** Hears how one request ended. */
export type RequestObserver = (ended: EndedRequest) => void;

/** What of a request a {@link MeteredSink} reports, and whose it is. */
export interface MeteredRequest extends Pick<EndedRequest, "method" | "era" | "scope"> {
  /** The client session it came in, which can be asked back. */
  readonly sessionKey?: string | undefined;
}

/** What {@link MeteredSink}s work through. */
export interface MeteredSinkDeps {
  readonly monotonic: Monotonic;
  readonly observe: RequestObserver;
  readonly sessions: Pick<SessionStore, "find">;
}

/**
 * Passes everything on and reports once how the request ended and how long it took. It knows whose request it is, and so whom an upstream asks beside its answer.
 * To the client's side it is the exchange as well: one whose cancelling is noticed.
 */
export class MeteredSink implements ReadySink, ClientSink, Exchange {
  readonly #sink: ClientSink;
  readonly #request: MeteredRequest;
  readonly #deps: MeteredSinkDeps;
  readonly #startedMs: number;
  #connector: string | undefined;
  #exchange: Exchange | undefined;
  #reported = false;

  constructor(sink: ClientSink, request: MeteredRequest, deps: MeteredSinkDeps) {
    this.#sink = sink;
    this.#request = request;
    this.#deps = deps;
    this.#startedMs = deps.monotonic.elapsedMs();
  }

  /** The request goes to this connector, and counts as its from now on. */
  forwardedTo(connector: string): void {
    this.#connector = connector;
  }

  /** This is the exchange that is answered here. */
  over(exchange: Exchange): void {
    this.#exchange = exchange;
  }

  cancel(reason?: string): void {
    this.#done("cancelled");
    this.#exchange?.cancel(reason);
  }

  resume(): void {
    this.#exchange?.resume();
  }

  start(status: number, headers: Readonly<Record<string, string>>): void {
    this.#sink.start(status, headers);
  }

  write(chunk: Uint8Array): boolean {
    return this.#sink.write(chunk);
  }

  end(failure?: GatewayError): void {
    this.#sink.end(failure);
    if (failure === undefined) this.#done("answered");
    else this.#done("failed", failure);
  }

  notify(notification: JsonRpcNotification): void {
    this.#sink.notify(notification);
  }

  tell(message: MessageToClient): boolean {
    return this.#sink.tell(message);
  }

  ask(question: UpstreamQuestion): AskedQuestion | undefined {
    const { sessionKey } = this.#request;
    const session = sessionKey === undefined ? undefined : this.#deps.sessions.find(sessionKey);
    return session?.ask(question, this.#sink);
  }

  pollLater(delayMs: number, ask: () => void): void {
    this.#sink.pollLater?.(delayMs, ask);
  }

  respond(response: JsonRpcResponse): void {
    this.#sink.respond(response);
    this.#done("answered");
  }

  sendResult(id: RequestId, result: readonly Buffer[], packed?: PackedResult): void {
    this.#sink.sendResult(id, result, packed);
    this.#done("answered");
  }

  fail(error: GatewayError): void {
    this.#sink.fail(error);
    this.#done("failed", error);
  }

  abort(error: GatewayError): void {
    this.#sink.abort(error);
    this.#done("broken", error);
  }

  #done(outcome: CallOutcome, error?: GatewayError): void {
    if (this.#reported) return;
    this.#reported = true;
    const { method, era, scope } = this.#request;
    const { monotonic, observe } = this.#deps;
    observe({
      method,
      era,
      scope,
      outcome,
      seconds: (monotonic.elapsedMs() - this.#startedMs) / 1_000,
      connector: this.#connector,
      code: error?.code,
    });
  }
}
