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
/** Most that waits for one client's stream, in characters of JSON: as much as one question may have. */
const MAX_UNSENT = 4 * 1024 * 1024;
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
  /** Tells the client now, or when it next opens its stream, that it need not answer a question. */
  readonly tellWithdrawn: (id: RequestId, reason: string | undefined) => void;
}

/** One question, of which no more is held than its answer takes: what was asked may be large, and nobody knows when it is answered. */
interface Entry extends Pick<UpstreamQuestion, "onAnswer" | "onProgress"> {
  /** Under which the upstream wants progress. */
  readonly token: string | number | undefined;
  /** The stream of the request that it was asked for. */
  readonly way: WayToClient | undefined;
  /** What could not be sent yet. */
  unsent: Unsent | undefined;
  stopWaiting: () => void;
}

interface Unsent {
  readonly request: JsonRpcRequest;
  readonly length: number;
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
  /** Characters of what waits for a stream. */
  #unsent = 0;

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
    if (this.#open.size >= MAX_OPEN) return tooMany(question, `${MAX_OPEN} questions wait for the client already`);
    const id = `${this.#prefix}-${++this.#last}`;
    const request = requestFor(question, id);
    const { onAnswer, onProgress, params } = question;
    const entry: Entry = {
      ...{ onAnswer, onProgress, way },
      token: progressTokenOf(params),
      unsent: undefined,
      stopWaiting: () => {},
    };
    this.#open.set(id, entry);
    if (!this.#send(entry, request)) {
      if (way !== undefined) {
        this.#open.delete(id);
        return undefined;
      }
      const { length } = JSON.stringify(request);
      if (this.#unsent + length > MAX_UNSENT) {
        this.#open.delete(id);
        return tooMany(question, "too much waits for the client to listen");
      }
      this.#keep(id, entry, { request, length });
    }
    return { withdraw: (reason) => this.#withdraw(id, entry, reason) };
  }

  /** The client has opened a stream: what waited for one is asked now. */
  deliver(): void {
    for (const entry of this.#open.values()) {
      if (entry.unsent === undefined || !this.#send(entry, entry.unsent.request)) continue;
      this.#waitsNoMore(entry);
    }
  }

  /** Takes an answer of the client's; one to nothing that it was asked, or a second one, is dropped. */
  answered(response: JsonRpcResponse): void {
    const entry = response.id === undefined ? undefined : this.#open.get(response.id);
    if (response.id === undefined || entry === undefined) return;
    this.#take(response.id, entry);
    entry.onAnswer("error" in response ? { error: response.error } : { result: response.result });
  }

  /** Takes the client's `notifications/progress`; what is about nothing that it was asked is dropped. */
  progressed(params: JsonObject | undefined): void {
    const id = params?.["progressToken"];
    const entry = typeof id === "string" ? this.#open.get(id) : undefined;
    if (entry?.token !== undefined) entry.onProgress({ ...params, progressToken: entry.token });
  }

  /** Nobody is there to answer any more. */
  end(reason: string): void {
    const error = toJsonRpcError(new GatewayError("UPSTREAM_UNAVAILABLE", `The client cannot answer: ${reason}`));
    for (const [id, entry] of this.#open) {
      this.#withdraw(id, entry, reason);
      entry.onAnswer({ error });
    }
  }

  #send({ way }: Entry, message: MessageToClient): boolean {
    return (way ?? this.#deps.session).tell(message);
  }

  #keep(id: RequestId, entry: Entry, unsent: Unsent): void {
    entry.unsent = unsent;
    this.#unsent += unsent.length;
    entry.stopWaiting = this.#deps.timers.after(NO_STREAM_MS, () => {
      if (!this.#take(id, entry)) return;
      const why = "The client cannot be asked: it listens to no stream";
      entry.onAnswer({ error: toJsonRpcError(new GatewayError("UPSTREAM_UNAVAILABLE", why)) });
    });
  }

  #waitsNoMore(entry: Entry): void {
    entry.stopWaiting();
    this.#unsent -= entry.unsent?.length ?? 0;
    entry.unsent = undefined;
  }

  #withdraw(id: RequestId, entry: Entry, reason: string | undefined): void {
    const wasAsked = entry.unsent === undefined;
    if (!this.#take(id, entry) || !wasAsked) return;
    // The stream that it was asked on may be over.
    if (entry.way?.tell(withdrawal(id, reason)) !== true) this.#deps.tellWithdrawn(id, reason);
  }

  #take(id: RequestId, entry: Entry): boolean {
    if (this.#open.get(id) !== entry) return false;
    this.#open.delete(id);
    this.#waitsNoMore(entry);
    return true;
  }
}

/** The message that says that a question needs no answer any more. */
export const withdrawal = (requestId: RequestId, reason?: string): JsonRpcNotification => ({
  jsonrpc: "2.0",
  method: "notifications/cancelled",
  params: reason === undefined ? { requestId } : { requestId, reason },
});

function tooMany({ onAnswer }: UpstreamQuestion, why: string): AskedQuestion {
  onAnswer({ error: toJsonRpcError(new GatewayError("LIMITED", why)) });
  return NOTHING;
}

/** The question under an id of the gateway's, which is its progress token too when it wants progress; everything else as the upstream sent it. */
function requestFor({ method, params }: UpstreamQuestion, id: string): JsonRpcRequest {
  if (params === undefined) return { jsonrpc: "2.0", id, method };
  const sent = progressTokenOf(params) === undefined ? params : withMeta(params, { progressToken: id });
  return { jsonrpc: "2.0", id, method, params: sent };
}
