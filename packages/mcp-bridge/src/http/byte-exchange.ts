import { toJsonRpcError, type GatewayError } from "@cortex-os/mcp-core";
import { changedFeature, classifyMessage, type JsonRpcResponse } from "@cortex-os/mcp-core/wire";
import { isResourceUpdate } from "../listening/notifications.js";
import type { AnswerHead } from "./answer-head.js";
import { answers, notJson, type AnswerForm } from "./answer-reader.js";
import { protocolFailure } from "./failures.js";
import type { Refusal } from "./refusal.js";
import { UpstreamExchange } from "./upstream-exchange.js";

const OBJECT = 0x7b;
const ARRAY = 0x5b;
const CARRIAGE_RETURN = 0x0d;
const FEED = Buffer.from("\n");
/** What may stand before JSON: white space, and the byte order mark of servers that do not know better. */
const BEFORE_JSON: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf]);

/**
 * The hot path (design.md, decision 2): client and upstream speak the same era, and the answer is passed on as the bytes
 * it came in.
 *
 * A JSON answer is not read: that it is not empty and begins like JSON is all that is looked at, so that a wrong id or half a
 * text is the client's to notice. Of an event stream each event is read beside being passed on, because it may hold what is not for the
 * client (requests of the upstream, changes of its lists and resources), and because its end must be known.
 */
export class ByteExchange extends UpstreamExchange {
  #status = 0;
  #headers: Record<string, string> = {};
  #started: AnswerForm | undefined;
  #answered = false;

  protected override answerStart(head: AnswerHead, form: AnswerForm): void {
    this.#status = head.status;
    this.#headers = head.passedOn();
    // Of an event stream less may be passed on than came, or more.
    if (form === "sse") this.#start(form, false);
  }

  protected override answerData(chunk: Buffer): boolean {
    if (this.#started === undefined) {
      const first = beginOf(chunk);
      // A chunk of nothing but white space is dropped, and with it the right to say how long the answer is.
      if (first === -1) {
        delete this.#headers["content-length"];
        return true;
      }
      if (chunk[first] !== OBJECT && chunk[first] !== ARRAY) {
        this.fail(notJson(this.host.key, chunk.toString("utf8")));
        return true;
      }
      this.#start("json", true);
    }
    return this.sink.write(chunk);
  }

  protected override answerEnd(): void {
    if (this.#started === undefined) {
      this.fail(protocolFailure(this.host.key, `answered HTTP ${this.#status} with an empty body`));
      return;
    }
    this.settle();
    this.sink.end();
  }

  protected override answerEvent(data: string, bytes: Buffer): boolean {
    let value: unknown;
    try {
      value = JSON.parse(data);
    } catch {
      // What cannot be understood is the client's to judge.
      return this.answerAside(bytes);
    }
    const members: readonly unknown[] = Array.isArray(value) ? value : [value];
    const passed = members
      .map((member) => this.#forClient(member, bytes.length))
      .filter((member) => member !== undefined);
    if (passed.length === 0 && members.length > 0) return true;
    const isWhole = passed.length === members.length && passed.every((member, at) => member === members[at]);
    const goesOn = this.sink.write(isWhole ? bytes : encoded(Array.isArray(value) ? passed : passed[0]));
    if (this.#answered) {
      // The line feed of a break that the chunk border cut in two would come too late, and some readers wait for it.
      if (isWhole && bytes.at(-1) === CARRIAGE_RETURN) this.sink.write(FEED);
      this.settle();
      this.sink.end();
    }
    return goesOn;
  }

  protected override answerAside(bytes: Buffer): boolean {
    return this.sink.write(bytes);
  }

  protected override answerRefused({ head, body }: Refusal, response: JsonRpcResponse): void {
    // To a legacy client an HTTP status speaks of the transport: a 404 would tell it that its session with us is over.
    if (this.request.session !== undefined) {
      this.sink.respond({ ...response, id: this.request.id });
      return;
    }
    this.sink.start(head.status, head.passedOn());
    this.sink.write(body);
    this.sink.end();
  }

  protected override broken(error: GatewayError): void {
    if (this.#started === undefined) this.sink.fail(error);
    else if (this.#started === "json") this.sink.abort(error);
    else {
      // Only whole events were written: what comes now can be the last of them.
      const { id } = this.request;
      this.sink.write(encoded({ jsonrpc: "2.0", id, error: toJsonRpcError(error) }));
      this.sink.end(error);
    }
  }

  /** @returns what of one message the client gets; `undefined` for what is not for it */
  #forClient(value: unknown, bytes: number): unknown {
    const classified = classifyMessage(value);
    if (classified.kind === "invalid") return value;
    const { kind, message } = classified;
    if (kind === "request") {
      this.host.asked(this, message, bytes);
      return undefined;
    }
    if (kind === "notification" && message.method === "notifications/cancelled") {
      this.host.withdrawn(this.request, message.params);
      return undefined;
    }
    const changed = kind === "notification" ? changedFeature(message.method) : undefined;
    if (changed !== undefined) {
      // The gateway's lists are others, of whose changes it tells itself.
      this.host.listChanged(changed);
      return undefined;
    }
    if (kind === "notification" && isResourceUpdate(message)) {
      this.host.told(message);
      return undefined;
    }
    if (kind !== "response" || !answers(message, this.request.id)) return value;
    if (this.#answered) return undefined;
    this.#answered = true;
    this.host.settled(this);
    this.host.answered(this.request, message);
    // An error without an id is for this request: there is no other on this stream.
    return message.id === this.request.id ? value : { ...message, id: this.request.id };
  }

  #start(form: AnswerForm, hasLength: boolean): void {
    this.#started = form;
    if (!hasLength) delete this.#headers["content-length"];
    this.sink.start(this.#status, this.#headers);
  }
}

function encoded(message: unknown): Buffer {
  return Buffer.from(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
}

/** Where JSON begins in the first bytes of an answer, or −1. */
const beginOf = (chunk: Buffer): number =>
  chunk[0] === OBJECT ? 0 : chunk.findIndex((byte) => !BEFORE_JSON.has(byte));
