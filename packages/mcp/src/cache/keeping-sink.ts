import type { GatewayError } from "@cortex-os/mcp-core";
import {
  classifyMessage,
  SseParser,
  type JsonObject,
  type JsonRpcNotification,
  type JsonRpcResponse,
  type RequestId,
} from "@cortex-os/mcp-core/wire";
import type { AskedQuestion, UpstreamQuestion } from "@cortex-os/mcp-bridge";
import type { ReadySink } from "../connectors/upstream.js";
import type { AnswerFill } from "./answer-fill.js";
import { keptAnswer } from "./kept-answer.js";

/** Passes everything on as it comes, and reads along as far as that is worth it. */
export class KeepingSink implements ReadySink {
  readonly #sink: ReadySink;
  readonly #id: RequestId;
  readonly #fill: AnswerFill;
  #held: Uint8Array[] | undefined;
  #events: SseParser | undefined;

  /** @param id the caller's, under which the answer comes */
  constructor(sink: ReadySink, id: RequestId, fill: AnswerFill) {
    this.#sink = sink;
    this.#id = id;
    this.#fill = fill;
  }

  start(status: number, headers: Readonly<Record<string, string>>): void {
    const type = headers["content-type"] ?? "";
    if (status !== 200) this.#fill.end();
    else if (type.startsWith("text/event-stream")) this.#events = new SseParser(({ data }) => this.#read(data));
    else this.#held = [];
    this.#sink.start(status, headers);
  }

  write(chunk: Uint8Array): boolean {
    if (!this.#fill.isOver && this.#fill.hold(chunk.length)) {
      this.#held?.push(chunk);
      this.#events?.push(chunk);
    }
    if (this.#fill.isOver) this.#drop();
    return this.#sink.write(chunk);
  }

  end(failure?: GatewayError): void {
    if (this.#held !== undefined && failure === undefined) this.#read(Buffer.concat(this.#held).toString("utf8"));
    this.#over();
    this.#sink.end(failure);
  }

  notify(notification: JsonRpcNotification): void {
    this.#sink.notify(notification);
  }

  ask(question: UpstreamQuestion): AskedQuestion | undefined {
    return this.#sink.ask(question);
  }

  pollLater(delayMs: number, ask: () => void): void {
    this.#sink.pollLater?.(delayMs, ask);
  }

  original(result: JsonObject): void {
    this.#fill.keep(keptAnswer(result));
  }

  respond(response: JsonRpcResponse): void {
    this.#over();
    this.#sink.respond(response);
  }

  sendResult(id: RequestId, result: readonly Buffer[]): void {
    this.#over();
    this.#sink.sendResult(id, result);
  }

  fail(error: GatewayError): void {
    this.#over();
    this.#sink.fail(error);
  }

  abort(error: GatewayError): void {
    this.#over();
    this.#sink.abort(error);
  }

  /** One message, if it is one. An answer that says nothing of a time to live is not worth reading. */
  #read(text: string): void {
    if (!SAYS_FOR_HOW_LONG.test(text)) return;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return;
    }
    const classified = classifyMessage(value);
    if (classified.kind !== "response" || classified.message.id !== this.#id || !("result" in classified.message))
      return;
    this.original(classified.message.result);
  }

  #over(): void {
    this.#fill.end();
    this.#drop();
  }

  #drop(): void {
    this.#held = undefined;
    this.#events = undefined;
  }
}

const SAYS_FOR_HOW_LONG = /"ttlMs"\s*:\s*[1-9]/;
