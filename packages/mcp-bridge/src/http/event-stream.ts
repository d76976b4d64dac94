import type { ClassifiedMessage } from "@cortex-os/mcp-core/wire";
import { answerForm, answerReader, type AnswerReader } from "./answer-reader.js";
import { UnauthorizedError } from "./failures.js";
import { firstHeader, type RawHeaders, type ResponseReader } from "./response-reader.js";

/** Most of a refusal that is kept, in bytes. */
const MAX_REFUSAL_BYTES = 16 * 1024;
/** Longest event on a stream of notifications, in bytes. */
const MAX_EVENT_BYTES = 1024 * 1024;

/** How a stream of events came to its end. */
export type StreamEnd =
  /** No connection: the upstream is not there. */
  | { readonly kind: "unreachable"; readonly error: Error }
  /** It said no. */
  | { readonly kind: "refused"; readonly status: number; readonly text: string }
  /** It was a stream and ended, or broke. */
  | { readonly kind: "ended" };

/** Who follows a stream. */
export interface StreamListener {
  onOpen(): void;
  onMessage(message: Exclude<ClassifiedMessage, { kind: "invalid" }>): void;
  /** The last word; not after `stop`. */
  onEnd(end: StreamEnd): void;
}

/** One long response of events: undici's reader of it. */
export class EventStream implements ResponseReader {
  readonly #key: string;
  readonly #listener: StreamListener;
  readonly #given: Pick<AnswerReader, "push"> | undefined;
  #abort: ((reason?: Error) => void) | undefined;
  #reader: Pick<AnswerReader, "push"> | undefined;
  #status = 0;
  #refusal = "";
  #stopped = false;

  /** @param reader reads the events in the place of the listener's `onMessage`; what it throws ends the stream */
  constructor(key: string, listener: StreamListener, reader?: Pick<AnswerReader, "push">) {
    this.#key = key;
    this.#listener = listener;
    this.#given = reader;
  }

  /** Closes it; the listener hears nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#abort?.(new Error("stopped listening"));
  }

  onConnect(abort: (reason?: Error) => void): void {
    this.#abort = abort;
    if (this.#stopped) abort(new Error("stopped listening"));
  }

  onHeaders(status: number, headers: RawHeaders): true {
    if (status < 200 || this.#stopped) return true;
    this.#status = status;
    if (status !== 200 || answerForm(firstHeader(headers, "content-type")) !== "sse") return true;
    this.#reader =
      this.#given ??
      answerReader("sse", this.#key, MAX_EVENT_BYTES, (message) => {
        if (!this.#stopped) this.#listener.onMessage(message);
      });
    this.#listener.onOpen();
    return true;
  }

  onData(chunk: Buffer): true {
    if (this.#stopped) return true;
    if (this.#reader === undefined) {
      this.#refusal += chunk.toString("utf8");
      if (this.#refusal.length > MAX_REFUSAL_BYTES) this.#end(true);
      return true;
    }
    try {
      this.#reader.push(chunk);
    } catch {
      // What cannot be read is left; opening it anew is the listener's to decide.
      this.#end(true);
    }
    return true;
  }

  onComplete(): void {
    this.#end(false);
  }

  onError(error: Error): void {
    if (this.#stopped) return;
    // Without an authorization there is no upstream either, whatever was sent.
    if (this.#abort !== undefined && !(error instanceof UnauthorizedError)) {
      this.#end(false);
      return;
    }
    this.#stopped = true;
    this.#listener.onEnd({ kind: "unreachable", error });
  }

  #end(abort: boolean): void {
    if (this.#stopped) return;
    this.#stopped = true;
    if (abort) this.#abort?.(new Error("the stream cannot be read"));
    const isStream = this.#reader !== undefined;
    this.#listener.onEnd(
      isStream || this.#status === 0
        ? { kind: "ended" }
        : { kind: "refused", status: this.#status, text: this.#refusal },
    );
  }
}
