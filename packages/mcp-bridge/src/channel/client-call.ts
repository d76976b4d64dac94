import type { GatewayError } from "@cortex-os/mcp-core";
import {
  errorForClient,
  MAX_JSON_DEPTH,
  paramsForUpstream,
  progressTokenOf,
  resultForClient,
  type JsonObject,
  type JsonRpcNotification,
  type JsonRpcResponse,
} from "@cortex-os/mcp-core/wire";
import type { UpstreamFacts } from "../link.js";
import type { AnswerSink, Exchange, UpstreamCall } from "../runtime/exchange.js";
import type { Channel, PendingRequest, Receiver, RequestBounds } from "./channel.js";

/**
 * One client request on its way over a shared channel: params go out in the era of the upstream, the answer and its progress come
 * back in the era, and under the id and token, of the caller.
 */
export class ClientCall implements Receiver, Exchange {
  readonly call: UpstreamCall;
  readonly #sink: AnswerSink;
  readonly #onSettled: (call: ClientCall) => void;
  readonly #progressToken: string | number | undefined;
  #facts: UpstreamFacts | undefined;
  #request: PendingRequest | undefined;
  #settled = false;

  /** @param onSettled called once, before the sink hears the outcome, whether that is an answer, a failure or a cancellation */
  constructor(call: UpstreamCall, sink: AnswerSink, onSettled: (call: ClientCall) => void) {
    this.call = call;
    this.#sink = sink;
    this.#onSettled = onSettled;
    this.#progressToken = progressTokenOf(call.params);
  }

  /** Sends it, unless it was cancelled or has failed while it waited. */
  begin(channel: Channel, facts: UpstreamFacts, bounds: RequestBounds): void {
    if (this.#settled) return;
    this.#facts = facts;
    const { caller, method, params } = this.call;
    const request = channel.request(method, paramsForUpstream(params, caller, facts), this, {
      ...bounds,
      maxDepth: MAX_JSON_DEPTH,
      progress: this.#progressToken !== undefined,
    });
    this.#request = request;
  }

  onAnswer(answer: JsonRpcResponse): void {
    if (!this.#settle()) return;
    const { id, caller, method } = this.call;
    const route = { upstream: this.#facts?.era ?? caller.era, client: caller.era, method };
    if ("error" in answer) {
      this.#sink.respond({ jsonrpc: "2.0", id, error: errorForClient(answer.error, route) });
      return;
    }
    this.#sink.original?.(answer.result);
    const converted = resultForClient(answer.result, route);
    if (converted.ok) this.#sink.respond({ jsonrpc: "2.0", id, result: converted.result });
    else this.#sink.respond({ jsonrpc: "2.0", id, error: converted.error });
  }

  onProgress(params: JsonObject): void {
    if (this.#settled || this.#progressToken === undefined) return;
    this.#sink.notify({
      jsonrpc: "2.0",
      method: "notifications/progress",
      params: { ...params, progressToken: this.#progressToken },
    });
  }

  /** Something that the child said while this is in flight, as it came. */
  hear(notification: JsonRpcNotification): void {
    if (!this.#settled) this.#sink.notify(notification);
  }

  onFailure(error: GatewayError): void {
    if (this.#settle()) this.#sink.fail(error);
  }

  cancel(reason?: string): void {
    if (this.#settle()) this.#request?.cancel(reason);
  }

  /** Ends it with an error of ours, and the upstream is told to stop. */
  abandon(error: GatewayError): void {
    if (!this.#settle()) return;
    this.#request?.cancel();
    this.#sink.fail(error);
  }

  /** Nothing to do: answers are whole messages, so the sink is never waited for. */
  resume(): void {}

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#onSettled(this);
    return true;
  }
}
