import type { GatewayError } from "@cortex-os/mcp-core";
import {
  errorForClient,
  paramsForUpstream,
  progressTokenOf,
  resultForClient,
  type JsonObject,
  type JsonRpcErrorObject,
  type JsonRpcNotification,
  type JsonRpcResponse,
} from "@cortex-os/mcp-core/wire";
import type { AskedQuestion, UpstreamQuestion } from "../asking/question.js";
import type { UpstreamFacts } from "../link.js";
import type { AnswerSink, Exchange, UpstreamCall } from "../runtime/exchange.js";
import type { Channel, PendingRequest, Receiver, RequestBounds } from "./channel.js";

/** What a {@link ClientCall} is sent on. */
export interface CallLane {
  /** Forgets a call that was settled. @param error what it was answered with */
  forget(call: ClientCall, error?: JsonRpcErrorObject): void;
}

/**
 * One client request on its way over a shared channel: params go out in the era of the upstream, the answer and its progress come
 * back in the era, and under the id and token, of the caller.
 */
export class ClientCall implements Receiver, Exchange {
  readonly call: UpstreamCall;
  /** Where it is sent, once that is known. */
  lane: CallLane | undefined;
  readonly #sink: AnswerSink;
  readonly #onSettled: (call: ClientCall, error?: JsonRpcErrorObject) => void;
  readonly #progressToken: string | number | undefined;
  #facts: UpstreamFacts | undefined;
  #request: PendingRequest | undefined;
  #settled = false;

  /** @param onSettled called once, before the sink hears the outcome, whether that is an answer (then with the error in it), a failure or a cancellation */
  constructor(call: UpstreamCall, sink: AnswerSink, onSettled: (call: ClientCall, error?: JsonRpcErrorObject) => void) {
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
    const asksProgress = this.#progressToken !== undefined;
    const limits = asksProgress ? { ...bounds, progress: true } : bounds;
    this.#request = channel.request(method, paramsForUpstream(params, caller, facts), this, limits);
  }

  /** Which of the calls under way on one channel began first is the one with the lower number. */
  get order(): number {
    return this.#request?.id ?? 0;
  }

  /** Between peers of one era a good answer is passed on as it came, unless somebody wants to read it. */
  get takesBytes(): boolean {
    const sink = this.#sink;
    return sink.sendResult !== undefined && sink.original === undefined && this.#facts?.era === this.call.caller.era;
  }

  onResult(result: Buffer): void {
    if (this.#settle()) this.#sink.sendResult?.(this.call.id, [result]);
  }

  onAnswer(answer: JsonRpcResponse): void {
    if (!this.#settle("error" in answer ? answer.error : undefined)) return;
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

  /** Puts a question of the peer's to whoever called. */
  ask(question: UpstreamQuestion): AskedQuestion | undefined {
    return this.#settled ? undefined : this.#sink.ask(question);
  }

  /** Somebody is being asked: silence is no reason to give up, until what is returned is called. */
  hold(): () => void {
    return this.#request?.hold() ?? (() => {});
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

  #settle(error?: JsonRpcErrorObject): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#onSettled(this, error);
    return true;
  }
}
