import { randomBytes } from "node:crypto";
import type { AskedQuestion, UpstreamQuestion } from "@cortex-os/mcp-bridge";
import { GatewayError, toJsonRpcError, type Timers } from "@cortex-os/mcp-core";
import {
  progressTokenOf,
  withMeta,
  type JsonObject,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonRpcResponse,
  type RequestId,
} from "@cortex-os/mcp-core/wire";

/** Most questions that wait for the answers of one client. */
const MAX_OPEN = 1_000;
/** How long a question waits for its client to open a stream, in milliseconds: clients open it right after they initialized. */
const NO_STREAM_MS = 10_000;

const NOTHING: AskedQuestion = { withdraw: () => {} };

/** A message of the gateway's to a client that is no answer. */
export type MessageToClient = JsonRpcRequest | JsonRpcNotification;

/** A way to a client. */
export interface WayToClient {
  /** @returns false when nothing can be sent on it */
  tell(message: MessageToClient): boolean;
}

/** What {@link ClientQuestions} work through. */
export interface ClientQuestionsDeps {
  readonly timers: Timers;
  /** The way outside of any request. */
  readonly session: WayToClient;
}

interface Entry {
  readonly question: UpstreamQuestion;
  /** The stream of the request that it was asked for. */
  readonly way: WayToClient | undefined;
  /** What could not be sent yet. */
  unsent: JsonRpcRequest | undefined;
  stopWaiting: () => void;
}

/**
 * What one client was asked and has not answered. It is asked under ids that no other session ever had, so that an answer which comes late, to another gateway or in
 * another session, is nobody's.
 */
export class ClientQuestions {
  readonly #deps: ClientQuestionsDeps;
  readonly #prefix = `cortex-${randomBytes(9).toString("base64url")}`;
  readonly #open = new Map<RequestId, Entry>();
  #last = 0;

  constructor(deps: ClientQuestionsDeps) {
    this.#deps = deps;
  }

  /** How many wait for an answer. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Puts a question to the client.
   *
   * @param way where the answer goes to the request that it is asked for; absent for one outside of any request, which waits for a stream if there is none
   * @returns `undefined` when it cannot be sent on `way`
   */
  ask(question: UpstreamQuestion, way?: WayToClient): AskedQuestion | undefined {
    if (this.#open.size >= MAX_OPEN) {
      const error = new GatewayError("LIMITED", `${MAX_OPEN} questions wait for the client already`);
      question.onAnswer({ error: toJsonRpcError(error) });
      return NOTHING;
    }
    const id = `${this.#prefix}-${++this.#last}`;
    const request = requestFor(question, id);
    const entry: Entry = { question, way, unsent: undefined, stopWaiting: () => {} };
    this.#open.set(id, entry);
    if (!this.#send(entry, request)) {
      if (way !== undefined) {
        this.#open.delete(id);
        return undefined;
      }
      this.#keep(id, entry, request);
    }
    return { withdraw: (reason) => this.#withdraw(id, entry, reason) };
  }

  /** The client has opened a stream: what waited for one is asked now. */
  deliver(): void {
    for (const entry of this.#open.values()) {
      if (entry.unsent === undefined || !this.#send(entry, entry.unsent)) continue;
      entry.unsent = undefined;
      entry.stopWaiting();
    }
  }

  /** Takes an answer of the client's; one to nothing that it was asked, or a second one, is dropped. */
  answered(response: JsonRpcResponse): void {
    const entry = response.id === undefined ? undefined : this.#open.get(response.id);
    if (response.id === undefined || entry === undefined) return;
    this.#take(response.id, entry);
    entry.question.onAnswer("error" in response ? { error: response.error } : { result: response.result });
  }

  /** Takes the client's `notifications/progress`; what is about nothing that it was asked is dropped. */
  progressed(params: JsonObject | undefined): void {
    const id = params?.["progressToken"];
    const entry = typeof id === "string" ? this.#open.get(id) : undefined;
    if (entry === undefined) return;
    const token = progressTokenOf(entry.question.params);
    if (token !== undefined) entry.question.onProgress({ ...params, progressToken: token });
  }

  /** Nobody is there to answer any more. */
  end(reason: string): void {
    const error = toJsonRpcError(new GatewayError("UPSTREAM_UNAVAILABLE", `The client cannot answer: ${reason}`));
    for (const [id, entry] of this.#open) {
      this.#take(id, entry);
      this.#tellWithdrawn(id, entry, reason);
      entry.question.onAnswer({ error });
    }
  }

  #send({ way }: Entry, message: MessageToClient): boolean {
    return (way ?? this.#deps.session).tell(message);
  }

  #keep(id: RequestId, entry: Entry, request: JsonRpcRequest): void {
    entry.unsent = request;
    entry.stopWaiting = this.#deps.timers.after(NO_STREAM_MS, () => {
      if (!this.#take(id, entry)) return;
      const why = "The client cannot be asked: it listens to no stream";
      entry.question.onAnswer({ error: toJsonRpcError(new GatewayError("UPSTREAM_UNAVAILABLE", why)) });
    });
  }

  #withdraw(id: RequestId, entry: Entry, reason: string | undefined): void {
    if (this.#take(id, entry)) this.#tellWithdrawn(id, entry, reason);
  }

  #tellWithdrawn(requestId: RequestId, entry: Entry, reason: string | undefined): void {
    if (entry.unsent !== undefined) return;
    const params = reason === undefined ? { requestId } : { requestId, reason };
    const message: JsonRpcNotification = { jsonrpc: "2.0", method: "notifications/cancelled", params };
    // The stream that it was asked on may be over.
    if (!this.#send(entry, message) && entry.way !== undefined) this.#deps.session.tell(message);
  }

  #take(id: RequestId, entry: Entry): boolean {
    if (this.#open.get(id) !== entry) return false;
    this.#open.delete(id);
    entry.stopWaiting();
    return true;
  }
}

/** The question under an id of the gateway's, which is its progress token too when it wants progress; everything else as the upstream sent it. */
function requestFor({ method, params }: UpstreamQuestion, id: string): JsonRpcRequest {
  if (params === undefined) return { jsonrpc: "2.0", id, method };
  const sent = progressTokenOf(params) === undefined ? params : withMeta(params, { progressToken: id });
  return { jsonrpc: "2.0", id, method, params: sent };
}
