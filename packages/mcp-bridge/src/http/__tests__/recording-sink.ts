import type { GatewayError } from "@cortex-os/mcp-core";
import { SseParser, type JsonObject, type JsonRpcNotification, type JsonRpcResponse } from "@cortex-os/mcp-core/wire";
import { RecordedQuestions } from "../../asking/__tests__/recorded-questions.js";
import type { AskedQuestion, UpstreamQuestion } from "../../asking/question.js";
import type { AnswerSink } from "../../runtime/exchange.js";

/** A sink that keeps what it is given, and complains about what may not come any more. */
export class RecordingSink implements AnswerSink {
  status: number | undefined;
  headers: Readonly<Record<string, string>> = {};
  readonly chunks: Buffer[] = [];
  readonly notifications: JsonRpcNotification[] = [];
  /** What the upstream asked. */
  readonly questions = new RecordedQuestions();
  /** How often the upstream wanted to be polled, and what has it asked at once. */
  readonly polls: { readonly delayMs: number; readonly ask: () => void }[] = [];
  response: JsonRpcResponse | undefined;
  error: GatewayError | undefined;
  aborted: GatewayError | undefined;
  /** The failure that an event stream ended with. */
  failure: GatewayError | undefined;
  /** Set to make `write` return false. */
  behind = false;
  /** How it ended; more than one entry is a broken promise. */
  readonly endings: ("end" | "respond" | "fail" | "abort")[] = [];
  readonly done: Promise<this>;
  #finish: () => void = () => {};

  constructor() {
    this.done = new Promise((resolve) => {
      this.#finish = () => resolve(this);
    });
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString("utf8");
  }

  /** The bytes it was given, as JSON. */
  get body(): JsonObject {
    return JSON.parse(this.text) as JsonObject;
  }

  start(status: number, headers: Readonly<Record<string, string>>): void {
    this.status = status;
    this.headers = headers;
  }

  write(chunk: Uint8Array): boolean {
    this.chunks.push(Buffer.from(chunk));
    return !this.behind;
  }

  /** The messages of the event stream it was given. */
  get messages(): JsonObject[] {
    const found: JsonObject[] = [];
    const parser = new SseParser(({ data }) => found.push(JSON.parse(data) as JsonObject));
    for (const chunk of this.chunks) parser.push(chunk);
    return found;
  }

  end(failure?: GatewayError): void {
    this.failure = failure;
    this.#end("end");
  }

  notify(notification: JsonRpcNotification): void {
    this.notifications.push(notification);
  }

  ask(question: UpstreamQuestion): AskedQuestion | undefined {
    return this.questions.ask(question);
  }

  pollLater(delayMs: number, ask: () => void): void {
    this.polls.push({ delayMs, ask });
  }

  respond(response: JsonRpcResponse): void {
    this.response = response;
    this.#end("respond");
  }

  fail(error: GatewayError): void {
    this.error = error;
    this.#end("fail");
  }

  abort(error: GatewayError): void {
    this.aborted = error;
    this.#end("abort");
  }

  #end(how: "end" | "respond" | "fail" | "abort"): void {
    this.endings.push(how);
    this.#finish();
  }
}
