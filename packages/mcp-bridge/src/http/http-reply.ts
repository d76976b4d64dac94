import { GatewayError } from "@cortex-os/mcp-core";
import type { JsonRpcResponse, RequestId } from "@cortex-os/mcp-core/wire";
import { answerForm, answerReader, answers, type AnswerReader } from "./answer-reader.js";
import { connectionFailure } from "./failures.js";
import { HeldBytes } from "./held-bytes.js";
import type { HttpRequest, HttpUpstream } from "./http-upstream.js";
import { allHeaders, type RawHeaders, type ResponseReader } from "./response-reader.js";

/** One whole HTTP response. */
export interface HttpReply {
  readonly status: number;
  /** Names in lower case; several values of one name joined by a comma and a space. */
  readonly headers: Readonly<Record<string, string>>;
  /** Everything that came, also of an event stream that was left after its answer. */
  readonly body: string;
  /** The answer to the request that {@link ReplyOptions.answerTo} names, if there was one. */
  readonly response?: JsonRpcResponse;
}

/** Bounds of one {@link httpReply}. */
export interface ReplyOptions {
  readonly signal: AbortSignal;
  /** Longest body in bytes. */
  readonly maxBytes: number;
  /** The request whose answer is looked for; an event stream is left as soon as it came. */
  readonly answerTo?: RequestId;
}

/**
 * One exchange outside the hot path, collected whole. Any status is a reply.
 *
 * @throws GatewayError UPSTREAM_UNAVAILABLE when the connection fails, UPSTREAM_LIMIT, or the signal's reason
 */
export function httpReply(upstream: HttpUpstream, request: HttpRequest, options: ReplyOptions): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    upstream.dispatch(request, new ReplyCollector(upstream.key, options, resolve, reject));
  });
}

class ReplyCollector implements ResponseReader {
  readonly #key: string;
  readonly #options: ReplyOptions;
  readonly #resolve: (reply: HttpReply) => void;
  readonly #reject: (error: unknown) => void;
  readonly #onAbort = () => this.#stop(this.#options.signal.reason);
  readonly #body: HeldBytes;
  #status = 0;
  #headers: Record<string, string> = {};
  #reader: AnswerReader | undefined;
  #response: JsonRpcResponse | undefined;
  #abort: ((reason?: Error) => void) | undefined;
  #done = false;

  constructor(
    key: string,
    options: ReplyOptions,
    resolve: (reply: HttpReply) => void,
    reject: (error: unknown) => void,
  ) {
    this.#key = key;
    this.#body = new HeldBytes(key, options.maxBytes);
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    options.signal.addEventListener("abort", this.#onAbort);
    if (options.signal.aborted) this.#onAbort();
  }

  onConnect(abort: (reason?: Error) => void): void {
    this.#abort = abort;
    if (this.#done) abort(new Error("cancelled"));
  }

  onHeaders(status: number, headers: RawHeaders): true {
    if (status < 200) return true;
    this.#status = status;
    this.#headers = allHeaders(headers);
    const { answerTo, maxBytes } = this.#options;
    const form = answerForm(this.#headers["content-type"]);
    if (answerTo === undefined || form === undefined) return true;
    this.#reader = answerReader(form, this.#key, maxBytes, (classified) => {
      if (classified.kind === "response" && answers(classified.message, answerTo))
        this.#response ??= classified.message;
    });
    return true;
  }

  onData(chunk: Buffer): true {
    if (this.#done) return true;
    try {
      this.#body.push(chunk);
    } catch (error) {
      this.#stop(error);
      return true;
    }
    this.#read((reader) => reader.push(chunk));
    if (this.#response !== undefined) this.#reply(true);
    return true;
  }

  onComplete(): void {
    if (this.#done) return;
    this.#read((reader) => reader.end());
    this.#reply(false);
  }

  onError(error: Error): void {
    this.#stop(connectionFailure(this.#key, error, this.#abort !== undefined));
  }

  /** A body that is no message is a reply all the same: the caller judges it by status and text. */
  #read(step: (reader: AnswerReader) => void): void {
    try {
      if (this.#reader !== undefined) step(this.#reader);
    } catch (error) {
      this.#reader = undefined;
      if (GatewayError.is(error) && error.code === "UPSTREAM_LIMIT") this.#stop(error);
    }
  }

  #reply(abort: boolean): void {
    if (this.#done) return;
    this.#end(abort);
    this.#resolve({
      status: this.#status,
      headers: this.#headers,
      body: this.#body.take().toString("utf8"),
      ...(this.#response === undefined ? {} : { response: this.#response }),
    });
  }

  #stop(reason: unknown): void {
    if (this.#done) return;
    this.#end(true);
    this.#reject(reason);
  }

  #end(abort: boolean): void {
    this.#done = true;
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    if (abort) this.#abort?.(new Error("the reply is complete"));
  }
}
