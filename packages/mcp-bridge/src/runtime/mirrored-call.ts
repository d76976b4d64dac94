import type { GatewayError } from "@cortex-os/mcp-core";
import {
  classifyMessage,
  type JsonObject,
  type JsonRpcNotification,
  type JsonRpcResponse,
} from "@cortex-os/mcp-core/wire";
import { missesHeader } from "../http/refusal.js";
import type { AskedQuestion, UpstreamQuestion } from "../asking/question.js";
import type { AnswerSink, Exchange, UpstreamCall } from "./exchange.js";

/** What a {@link MirroredCall} works through. */
export interface MirroredCallDeps {
  /** The call with the headers that its tool asks for, as far as that is known now. */
  readonly mirror: () => UpstreamCall;
  readonly send: (call: UpstreamCall, sink: AnswerSink) => Exchange;
  /** Asks for the upstream's tools again. */
  readonly relist: () => Promise<unknown>;
}

/**
 * A call of a tool whose `Mcp-Param-*` headers are the gateway's to make. When the upstream refuses them, its tools have changed: they are listed again and, if
 * they ask for other headers now, the call is sent once more (2026-07-28, Client Behavior). It was not carried out before.
 */
export class MirroredCall implements AnswerSink, Exchange {
  readonly #deps: MirroredCallDeps;
  readonly #sink: AnswerSink;
  #call: UpstreamCall;
  #exchange: Exchange | undefined;
  #wasRefused = false;
  #isCancelled = false;
  /** A refusal, until it is known what is in it. */
  #held: HeldRefusal | undefined;

  constructor(deps: MirroredCallDeps, sink: AnswerSink) {
    this.#deps = deps;
    this.#sink = sink;
    this.#call = deps.mirror();
    this.#exchange = deps.send(this.#call, this);
  }

  cancel(reason?: string): void {
    this.#isCancelled = true;
    this.#exchange?.cancel(reason);
  }

  resume(): void {
    this.#exchange?.resume();
  }

  start(status: number, headers: Readonly<Record<string, string>>): void {
    if (status === 400 && !this.#wasRefused) this.#held = { headers, chunks: [] };
    else this.#sink.start(status, headers);
  }

  write(chunk: Uint8Array): boolean {
    if (this.#held === undefined) return this.#sink.write(chunk);
    this.#held.chunks.push(chunk);
    return true;
  }

  end(failure?: GatewayError): void {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) this.#sink.end(failure);
    else if (isMismatch(held)) this.#again(() => passOn(held, this.#sink));
    else passOn(held, this.#sink);
  }

  notify(notification: JsonRpcNotification): void {
    this.#sink.notify(notification);
  }

  ask(question: UpstreamQuestion): AskedQuestion | undefined {
    return this.#sink.ask(question);
  }

  original(result: JsonObject): void {
    this.#sink.original?.(result);
  }

  respond(response: JsonRpcResponse): void {
    if (missesHeader(response) && !this.#wasRefused) this.#again(() => this.#sink.respond(response));
    else this.#sink.respond(response);
  }

  fail(error: GatewayError): void {
    this.#sink.fail(error);
  }

  abort(error: GatewayError): void {
    this.#sink.abort(error);
  }

  #again(giveUp: () => void): void {
    this.#wasRefused = true;
    this.#exchange = undefined;
    const listed = (): void => {
      if (this.#isCancelled) return;
      const call = this.#deps.mirror();
      if (isSame(call.paramHeaders, this.#call.paramHeaders)) {
        giveUp();
        return;
      }
      this.#call = call;
      this.#exchange = this.#deps.send(call, this);
    };
    // With a list that cannot be had nothing is known better than before.
    this.#deps.relist().then(listed, listed);
  }
}

interface HeldRefusal {
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: Uint8Array[];
}

function passOn({ headers, chunks }: HeldRefusal, sink: AnswerSink): void {
  sink.start(400, headers);
  for (const chunk of chunks) sink.write(chunk);
  sink.end();
}

function isMismatch({ chunks }: HeldRefusal): boolean {
  try {
    const classified = classifyMessage(JSON.parse(Buffer.concat(chunks).toString("utf8")));
    return classified.kind === "response" && missesHeader(classified.message);
  } catch {
    return false;
  }
}

/** Whether two sets of headers say the same. */
export function isSame(
  one: Readonly<Record<string, string>> = {},
  other: Readonly<Record<string, string>> = {},
): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
