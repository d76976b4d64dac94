import type { GatewayError } from "@cortex-os/mcp-core";
import type {
  CallerIdentity,
  JsonObject,
  JsonRpcNotification,
  JsonRpcResponse,
  RequestId,
} from "@cortex-os/mcp-core/wire";
import type { AskedQuestion, UpstreamQuestion } from "../asking/question.js";

/** One client request on its way to an upstream, already in the upstream's names. */
export interface UpstreamCall {
  /** The client's own request id: the answer carries it. */
  readonly id: RequestId;
  readonly method: string;
  /** As the client sent it but for renaming; the object that was authorised, not a copy. */
  readonly params: JsonObject | undefined;
  readonly caller: Caller;
  /** `mcp-param-*` headers of a modern client, lower-case, passed on as they came; absent when its transport has no headers. */
  readonly paramHeaders?: Readonly<Record<string, string>> | undefined;
}

/** Who calls, as far as the bridge needs it to keep callers apart (design.md, decision 6). */
export interface Caller extends CallerIdentity {
  /** Unique among living client sessions; absent for clients without one (modern, stateless). */
  readonly sessionKey?: string;
  /** The principal's id. */
  readonly principal: string;
}

/**
 * Where the answer to one request goes, in the era of its caller.
 *
 * Either bytes: `start`, `write`…, `end`; or messages: `notify`…, then one `respond`; or, before any byte, `fail`. After
 * `end`, `respond` or `fail`, and after the exchange was cancelled, nothing more comes. A byte answer that breaks off
 * half-way is `abort`: what was written cannot be taken back.
 */
export interface AnswerSink {
  /** The upstream's HTTP status and the headers worth passing on (content-type and the like), lower-case. */
  start(status: number, headers: Readonly<Record<string, string>>): void;
  /** @returns false when the reader is behind: wait for {@link Exchange.resume} before the next chunk */
  write(chunk: Uint8Array): boolean;
  /** The byte answer is complete. @param failure it ended with an error of ours, written as its last event (of an event stream only) */
  end(failure?: GatewayError): void;
  /** A notification that belongs to this request, its progress token being the caller's. */
  notify(notification: JsonRpcNotification): void;
  /**
   * A request of the upstream's that came with the answer: goes to a legacy client's session on the stream of this answer.
   *
   * @returns `undefined` when nothing can be sent on it: nothing was asked then
   */
  ask(question: UpstreamQuestion): AskedQuestion | undefined;
  /**
   * The upstream ended its connection in the middle of the answer and wants to be asked for the rest in so many milliseconds: a reader may be sent away as well. Sinks whose
   * readers cannot come back leave it out.
   *
   * @param ask has it asked at once, when the reader is back sooner
   */
  pollLater?(delayMs: number, ask: () => void): void;
  /**
   * The good answer as the upstream gave it, before it is put into the era of the caller and given to `respond`. Not of a byte answer. A sink that has it wants to read
   * answers: `sendResult` is not called then.
   */
  original?(result: JsonObject): void;
  /**
   * A good answer whose `result` member is already encoded, in pieces to be written one after the other: instead of `respond`, where the sink has it and nobody wants to
   * read the answer.
   *
   * @param id the caller's
   */
  sendResult?(id: RequestId, result: readonly Buffer[]): void;
  /** The answer, its id being the caller's; errors of the upstream are answers too. */
  respond(response: JsonRpcResponse): void;
  /** A failure of ours. */
  fail(error: GatewayError): void;
  /** The byte answer cannot go on. */
  abort(error: GatewayError): void;
}

/** A request under way. */
export interface Exchange {
  /** Stops it: the upstream is told, the sink hears nothing more. Does nothing once answered. */
  cancel(reason?: string): void;
  /** Goes on after `write` returned false. */
  resume(): void;
}

/** The exchange of a request that was answered at once. */
export const ANSWERED: Exchange = { cancel: () => {}, resume: () => {} };
