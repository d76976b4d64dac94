import { FAREWELL } from "@cortex-os/mcp";
import { GatewayError, toJsonRpcError } from "@cortex-os/mcp-core";
import {
  classifyMessage,
  isJsonObject,
  META,
  metaOf,
  type ClassifiedMessage,
  type JsonObject,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonRpcResponse,
  type RequestId,
} from "@cortex-os/mcp-core/wire";
import { changesFor, staleLists } from "./missed-changes.js";
import { SessionMemory } from "./session-memory.js";

/** Requests that do the same however often they are carried out; of all others a second time could do harm (design.md, decision 9). */
const REPEATABLE: ReadonlySet<string> = new Set([
  "initialize",
  "ping",
  "server/discover",
  "tools/list",
  "resources/list",
  "resources/templates/list",
  "resources/read",
  "resources/subscribe",
  "resources/unsubscribe",
  "prompts/list",
  "prompts/get",
  "completion/complete",
  "logging/setLevel",
]);

/** One open `subscriptions/listen`. */
interface Listening {
  readonly request: JsonRpcRequest;
  /** What the gateway agreed to tell of; absent until it said so. */
  agreed?: JsonObject;
}

/** What goes to whom, a line each without its end. */
export interface Replay {
  readonly toGateway: readonly string[];
  readonly toClient: readonly string[];
}

/**
 * Keeps account of one client's conversation with one gateway after the other: what the next one has to hear first, what is under way, and what of its answers is
 * not for the client, who knows of one gateway only. It looks at messages and sends none.
 */
export class ConversationBook {
  readonly #open = new Map<RequestId, JsonRpcRequest>();
  /** Those of them that the gateway cannot have read. */
  readonly #unsent = new Set<RequestId>();
  /** Those of them that came in a batch: a gateway that refuses one does not say whose requests these were, so that no answer does not mean that it read none. */
  readonly #batched = new Set<RequestId>();
  readonly #listening = new Map<RequestId, Listening>();
  readonly #session = new SessionMemory();
  /** What the gateway asked the client and has no answer to. */
  readonly #asked = new Set<RequestId>();
  #saidFarewell = false;
  #hasSuccessor = false;

  /** Whether the gateway ended in good order: then it has answered everything that it read. */
  get saidFarewell(): boolean {
    return this.#saidFarewell;
  }

  /** Whether it said that it made room for another one. */
  get hasSuccessor(): boolean {
    return this.#hasSuccessor;
  }

  /** Whether the client waits for an answer; what it listens to does not count. */
  get isWaiting(): boolean {
    return this.#open.size > 0;
  }

  /** Why the next gateway did not take the session over. */
  get refusal(): string | undefined {
    return this.#session.refusal;
  }

  /** A line of the client's was handed to the gateway. */
  sent(line: string): void {
    const { isBatch, messages } = messagesIn(line);
    for (const classified of messages) {
      if (classified.kind === "request") this.#opened(classified.message, isBatch);
      else if (classified.kind === "notification") this.#notified(classified.message);
      else if (classified.kind === "response" && classified.message.id !== undefined)
        this.#asked.delete(classified.message.id);
    }
  }

  /** A line that was handed to the gateway did not get there: it was gone. */
  unsent(line: string): void {
    for (const classified of messagesIn(line).messages) {
      if (classified.kind === "request" && this.#open.has(classified.message.id))
        this.#unsent.add(classified.message.id);
    }
  }

  /** @returns what the client gets of a line that the gateway sent */
  heard(line: string): readonly string[] {
    const classified = classifyMessage(parsed(line));
    if (classified.kind === "response") return this.#answered(classified.message) ? [line] : [];
    if (classified.kind === "request") this.#asked.add(classified.message.id);
    if (classified.kind !== "notification") return [line];
    const { method, params } = classified.message;
    if (method === "notifications/cancelled") this.#withdrawn(params);
    if (method === FAREWELL.method) {
      this.#saidFarewell = true;
      this.#hasSuccessor = params?.["successor"] === true;
      return [];
    }
    return method === "notifications/subscriptions/acknowledged" ? this.#acknowledged(line, params) : [line];
  }

  /**
   * The gateway is gone.
   * @returns answers for the client, to what was under way and must not be sent again; and what it was asked and needs to answer no more
   */
  lost(): readonly string[] {
    const failures = [...this.#asked].map((requestId) =>
      JSON.stringify({
        jsonrpc: "2.0",
        method: "notifications/cancelled",
        params: { requestId, reason: "the gateway went away" },
      }),
    );
    this.#asked.clear();
    for (const [id, { method }] of [...this.#open]) {
      const isUnread = this.#unsent.has(id) || (this.#saidFarewell && !this.#batched.has(id));
      if (isUnread || REPEATABLE.has(method)) continue;
      this.#closed(id);
      failures.push(JSON.stringify({ jsonrpc: "2.0", id, error: toJsonRpcError(unknownOutcome(method)) }));
    }
    this.#saidFarewell = false;
    this.#hasSuccessor = false;
    this.#unsent.clear();
    return failures;
  }

  /** What the next gateway has to hear before anything else, and what the client must be told because it may have missed it. */
  replay(): Replay {
    const again = [...this.#listening.values()].map(({ request }) => request).concat([...this.#open.values()]);
    return {
      toGateway: [...this.#session.replay(), ...again.map((request) => JSON.stringify(request))],
      toClient: staleLists(this.#session).map((notification) => JSON.stringify(notification)),
    };
  }

  /** What the client is told when its relay ends before it: that its subscriptions are closed. */
  goodbyes(): readonly string[] {
    return [...this.#listening.keys()].map((id) =>
      JSON.stringify({ jsonrpc: "2.0", id, result: { resultType: "complete", _meta: { [META.subscriptionId]: id } } }),
    );
  }

  #opened(request: JsonRpcRequest, isBatched: boolean): void {
    const { id, method } = request;
    if (method === "subscriptions/listen") this.#listening.set(id, { request });
    else this.#open.set(id, request);
    if (isBatched) this.#batched.add(id);
    else this.#batched.delete(id);
  }

  #closed(id: RequestId): void {
    this.#open.delete(id);
    this.#batched.delete(id);
  }

  #notified({ method, params }: JsonRpcNotification): void {
    if (method === "notifications/initialized") this.#session.initialized();
    const id = method === "notifications/cancelled" ? params?.["requestId"] : undefined;
    if (typeof id !== "string" && typeof id !== "number") return;
    this.#closed(id);
    this.#listening.delete(id);
  }

  /** @returns whether the answer is for the client */
  #answered(answer: JsonRpcResponse): boolean {
    const { id } = answer;
    if (id === undefined) return true;
    if (this.#session.answered(answer)) return false;
    const listening = this.#listening.get(id);
    if (listening !== undefined) {
      // A gateway that ends says that the subscription ended with it: it goes on with the next one.
      if ("result" in answer) return false;
      this.#listening.delete(id);
      return true;
    }
    const request = this.#open.get(id);
    this.#closed(id);
    if (request !== undefined && "result" in answer) this.#session.agreed(request, answer.result);
    return true;
  }

  #withdrawn(params: JsonObject | undefined): void {
    const id = params?.["requestId"];
    if (typeof id === "string" || typeof id === "number") this.#asked.delete(id);
  }

  #acknowledged(line: string, params: JsonObject | undefined): readonly string[] {
    const id = metaOf(params)?.[META.subscriptionId];
    const listening = typeof id === "string" || typeof id === "number" ? this.#listening.get(id) : undefined;
    if (listening === undefined) return [line];
    const isFirst = listening.agreed === undefined;
    const agreed = params?.["notifications"];
    listening.agreed = isJsonObject(agreed) ? agreed : {};
    if (isFirst) return [line];
    return changesFor(listening.request.id, listening.agreed).map((notification) => JSON.stringify(notification));
  }
}

/** A message, or those of a batch. */
function messagesIn(line: string): { readonly isBatch: boolean; readonly messages: readonly ClassifiedMessage[] } {
  const value = parsed(line);
  const isBatch = Array.isArray(value);
  const members: readonly unknown[] = isBatch ? value : [value];
  return { isBatch, messages: members.map(classifyMessage) };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const unknownOutcome = (method: string): GatewayError =>
  new GatewayError(
    "UPSTREAM_UNAVAILABLE",
    `the gateway went away; whether the ${method === "tools/call" ? "call" : "request"} was carried out is not known`,
  );
