import {
  META,
  metaOf,
  type JsonObject,
  type JsonRpcNotification,
  type JsonRpcResponse,
  type RequestId,
} from "@cortex-os/mcp-core/wire";
import type { Ear, EarEnd, EarListener } from "../listening/ear.js";
import { listenRefusal } from "../listening/listen-refusal.js";
import type { Channel, PendingRequest, Receiver } from "./channel.js";

/** The subscriptions at a modern server, which all share its one channel (2026-07-28, Subscriptions). */
export class ListenEars {
  readonly #key: string;
  readonly #channel: Channel;
  readonly #open = new Map<RequestId, ListenEar>();

  /** @param key the connector's, for messages */
  constructor(key: string, channel: Channel) {
    this.#key = key;
    this.#channel = channel;
  }

  /** Sends a `subscriptions/listen` with these params. */
  open(params: JsonObject, listener: EarListener): Ear {
    const ear = new ListenEar(this.#key, listener, () => this.#open.delete(ear.id));
    ear.start(this.#channel, params);
    if (!ear.isOver) this.#open.set(ear.id, ear);
    return ear;
  }

  /** @returns whether the notification is a subscription's, of one that is over too: then it is nobody else's */
  take(notification: JsonRpcNotification): boolean {
    const { method, params } = notification;
    if (method === "notifications/cancelled") {
      const id = params?.["requestId"];
      if (typeof id === "number" || typeof id === "string") this.#open.get(id)?.ended();
      return true;
    }
    const id = metaOf(params)?.[META.subscriptionId];
    if (typeof id !== "number" && typeof id !== "string") return false;
    this.#open.get(id)?.hear(notification);
    return true;
  }
}

class ListenEar implements Ear, Receiver {
  readonly #key: string;
  readonly #listener: EarListener;
  readonly #onOver: () => void;
  #request: PendingRequest | undefined;
  #wasHeard = false;
  isOver = false;

  constructor(key: string, listener: EarListener, onOver: () => void) {
    this.#key = key;
    this.#listener = listener;
    this.#onOver = onOver;
  }

  /** What the server knows the subscription by. */
  get id(): RequestId {
    return this.#request?.id ?? "";
  }

  start(channel: Channel, params: JsonObject): void {
    this.#request = channel.request("subscriptions/listen", params, this);
  }

  hear(notification: JsonRpcNotification): void {
    if (!this.#wasHeard) this.#listener.onOpen();
    this.#wasHeard = true;
    this.#listener.onNotification(notification);
  }

  /** The server tore it down. */
  ended(): void {
    this.#request?.forget();
    this.#over({ kind: "ended" });
  }

  close(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#onOver();
    this.#request?.cancel();
  }

  onAnswer(answer: JsonRpcResponse): void {
    this.#over(
      "error" in answer ? { kind: "refused", error: listenRefusal(this.#key, answer.error) } : { kind: "ended" },
    );
  }

  onProgress(): void {}

  /** The server does not read right now, or is gone: then the link is over at once. */
  onFailure(): void {
    this.#over({ kind: "ended" });
  }

  #over(end: EarEnd): void {
    this.isOver = true;
    this.#onOver();
    this.#listener.onEnd(end);
  }
}
