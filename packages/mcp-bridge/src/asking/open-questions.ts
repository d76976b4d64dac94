import { GatewayError, toJsonRpcError, type Timers } from "@cortex-os/mcp-core";
import {
  isDeeperThan,
  MAX_JSON_DEPTH,
  type JsonObject,
  type JsonRpcRequest,
  type RequestId,
} from "@cortex-os/mcp-core/wire";
import type { Ask, AskedQuestion } from "./question.js";

/** Longest question, in bytes: as long as a message of a client may be. */
const MAX_BYTES = 4 * 1024 * 1024;
/** Longest id of one, in UTF-16 units: it is held until it is answered. */
const MAX_ID = 1_024;

/** What {@link OpenQuestions} work through. */
export interface OpenQuestionsDeps {
  readonly timers: Timers;
  /** How long a client may take to answer, in milliseconds. */
  readonly maxMs: number;
  /** Sends the upstream a message: an answer, or progress. */
  readonly reply: (message: object) => void;
  /** None is open any more. */
  readonly onEmpty?: () => void;
}

/** Whom a question goes to, and what it belongs to. */
export interface QuestionRoute {
  readonly ask: Ask;
  /** The request whose end is the question's too; absent for one that belongs to the session. */
  readonly owner?: object | undefined;
  /** Has those wait who wait for the answer with it, and returns what ends that. */
  readonly hold: () => () => void;
}

interface Entry {
  readonly owner: object | undefined;
  readonly release: () => void;
  readonly stopWaiting: () => void;
  asked: AskedQuestion | undefined;
}

/**
 * The questions of one connection of an upstream that wait for a client's answer, by the ids the upstream gave them. Each ends once: answered, withdrawn by the
 * upstream, out of time, or with what it belongs to, and then nothing of it is left on either side.
 */
export class OpenQuestions {
  readonly #deps: OpenQuestionsDeps;
  readonly #open = new Map<RequestId, Entry>();

  constructor(deps: OpenQuestionsDeps) {
    this.#deps = deps;
  }

  /** How many wait. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Puts a request of the upstream's to a client. An id that is in use already is not answered: its one answer will be the first question's.
   *
   * @param bytes its length; what came on a stream of notifications was short enough to be read
   */
  relay(request: JsonRpcRequest, { ask, hold, owner }: QuestionRoute, bytes = 0): void {
    const { id, method, params } = request;
    if (this.#open.has(id)) return;
    const unfit = unfitness(request, bytes);
    if (unfit !== undefined) {
      this.refuse(id, unfit);
      return;
    }
    const { maxMs, reply, timers } = this.#deps;
    const entry: Entry = {
      owner,
      release: hold(),
      stopWaiting: timers.after(maxMs, () => this.#end(id, entry, lateFailure(maxMs))),
      asked: undefined,
    };
    this.#open.set(id, entry);
    const asked = ask({
      method,
      params,
      onAnswer: (answer) => {
        if (this.#take(id, entry)) reply({ jsonrpc: "2.0", id, ...answer });
      },
      onProgress: (progress) => {
        if (this.#open.get(id) === entry) reply({ jsonrpc: "2.0", method: "notifications/progress", params: progress });
      },
    });
    if (asked === undefined) this.#end(id, entry, noWayFailure());
    else entry.asked = asked;
  }

  /** Answers a request of the upstream's with an error. */
  refuse(id: RequestId, error: GatewayError): void {
    this.#deps.reply({ jsonrpc: "2.0", id, error: toJsonRpcError(error) });
  }

  /** The upstream says that it needs no answer any more: `notifications/cancelled`. */
  withdrawn(params: JsonObject | undefined): void {
    const { requestId: id, reason } = params ?? {};
    if (typeof id !== "string" && typeof id !== "number") return;
    const entry = this.#open.get(id);
    if (entry !== undefined && this.#take(id, entry)) entry.asked?.withdraw(text(reason));
  }

  /** What these questions belong to is over: whoever was asked is told so, and the upstream is answered with `error`. */
  endOf(owner: object, error: GatewayError): void {
    if (this.#open.size === 0) return;
    for (const [id, entry] of this.#open) if (entry.owner === owner) this.#end(id, entry, error);
  }

  /** Ends all of them, as {@link endOf}. */
  endAll(error: GatewayError): void {
    for (const [id, entry] of this.#open) this.#end(id, entry, error);
  }

  #end(id: RequestId, entry: Entry, error: GatewayError): void {
    if (!this.#take(id, entry)) return;
    entry.asked?.withdraw(error.message);
    this.refuse(id, error);
  }

  #take(id: RequestId, entry: Entry): boolean {
    if (this.#open.get(id) !== entry) return false;
    this.#open.delete(id);
    entry.stopWaiting();
    entry.release();
    if (this.#open.size === 0) this.#deps.onEmpty?.();
    return true;
  }
}

function unfitness({ id, params }: JsonRpcRequest, bytes: number): GatewayError | undefined {
  if (bytes > MAX_BYTES)
    return new GatewayError("INVALID_REQUEST", `A request to the client may have ${MAX_BYTES} bytes, not ${bytes}`);
  if (typeof id === "string" && id.length > MAX_ID)
    return new GatewayError("INVALID_REQUEST", `The id of a request to the client may have ${MAX_ID} characters`);
  if (!isDeeperThan(params, MAX_JSON_DEPTH)) return undefined;
  return new GatewayError("INVALID_REQUEST", `A request to the client may nest ${MAX_JSON_DEPTH} levels deep`);
}

const lateFailure = (maxMs: number): GatewayError =>
  new GatewayError("UPSTREAM_TIMEOUT", `The client did not answer within ${maxMs} ms`);

const noWayFailure = (): GatewayError =>
  new GatewayError("UPSTREAM_UNAVAILABLE", "The client cannot be asked: it listens to nothing right now");

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
