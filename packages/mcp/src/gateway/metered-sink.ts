import type { Exchange } from "@cortex-os/mcp-bridge";
import type { GatewayError, Monotonic } from "@cortex-os/mcp-core";
import type { JsonRpcNotification, JsonRpcResponse, RequestId } from "@cortex-os/mcp-core/wire";
import type { ClientSink } from "./client-sink.js";

/**
 * How a call can end: `answered` (whatever the upstream said), `failed` (an error of ours), `broken` (bytes that stopped half-way) or
 * `cancelled` (its client asked for that, or went away).
 */
export const CALL_OUTCOMES = ["answered", "failed", "broken", "cancelled"] as const;

/** One of {@link CALL_OUTCOMES}. */
export type CallOutcome = (typeof CALL_OUTCOMES)[number];

/** Hears how one call ended. */
export type CallObserver = (connector: string, outcome: CallOutcome, seconds: number) => void;

/** Passes everything on and reports once how the call ended and how long it took. */
export class MeteredSink implements ClientSink {
  readonly #sink: ClientSink;
  readonly #connector: string;
  readonly #monotonic: Monotonic;
  readonly #observe: CallObserver;
  readonly #startedMs: number;
  #reported = false;

  constructor(sink: ClientSink, connector: string, monotonic: Monotonic, observe: CallObserver) {
    this.#sink = sink;
    this.#connector = connector;
    this.#monotonic = monotonic;
    this.#observe = observe;
    this.#startedMs = monotonic.elapsedMs();
  }

  /** The exchange that is answered here, as one whose cancelling is noticed. */
  over(exchange: Exchange): Exchange {
    return {
      cancel: (reason) => {
        this.#done("cancelled");
        exchange.cancel(reason);
      },
      resume: () => {
        exchange.resume();
      },
    };
  }

  start(status: number, headers: Readonly<Record<string, string>>): void {
    this.#sink.start(status, headers);
  }

  write(chunk: Uint8Array): boolean {
    return this.#sink.write(chunk);
  }

  end(failure?: GatewayError): void {
    this.#sink.end(failure);
    this.#done(failure === undefined ? "answered" : "failed");
  }

  notify(notification: JsonRpcNotification): void {
    this.#sink.notify(notification);
  }

  respond(response: JsonRpcResponse): void {
    this.#sink.respond(response);
    this.#done("answered");
  }

  sendResult(id: RequestId, result: readonly Buffer[]): void {
    this.#sink.sendResult(id, result);
    this.#done("answered");
  }

  fail(error: GatewayError): void {
    this.#sink.fail(error);
    this.#done("failed");
  }

  abort(error: GatewayError): void {
    this.#sink.abort(error);
    this.#done("broken");
  }

  #done(outcome: CallOutcome): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#observe(this.#connector, outcome, (this.#monotonic.elapsedMs() - this.#startedMs) / 1_000);
  }
}
