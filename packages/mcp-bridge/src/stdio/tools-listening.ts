import { backoffDelayMs, type GatewayError, type Logger, type RandomSource, type Timers } from "@cortex-os/mcp-core";
import {
  META,
  metaOf,
  type JsonObject,
  type JsonRpcNotification,
  type JsonRpcResponse,
} from "@cortex-os/mcp-core/wire";
import { grantsToolChanges } from "../tool-changes.js";
import type { Channel, PendingRequest, Receiver } from "./channel.js";

/** What listening works with. */
export interface ToolsListeningDeps {
  readonly connectorId: string;
  readonly channel: Channel;
  /** The `_meta` of the gateway's own requests. */
  readonly meta: JsonObject;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly logger: Logger;
  readonly onListChanged: () => void;
}

const BACKOFF = { baseMs: 1_000, maxMs: 30_000 };

/**
 * Hears of changes to a modern server's tools, by a `subscriptions/listen` that is opened again whenever the server ends it
 * (2026-07-28, Subscriptions).
 */
export class ToolsListening implements Receiver {
  readonly #deps: ToolsListeningDeps;
  #request: PendingRequest | undefined;
  #cancelReopening = (): void => {};
  #attempt = 0;
  #missed = false;
  #stopped = false;
  #hears = false;

  constructor(deps: ToolsListeningDeps) {
    this.#deps = deps;
  }

  /** Whether a change would be heard of right now. */
  get hears(): boolean {
    return this.#hears;
  }

  /** Opens the subscription. */
  start(): void {
    const { channel, meta } = this.#deps;
    const params = { _meta: meta, notifications: { toolsListChanged: true } };
    this.#request = channel.request("subscriptions/listen", params, this);
  }

  /** Hears no more. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#hears = false;
    this.#cancelReopening();
    this.#request?.forget();
  }

  /** Takes a notification of the server's that may be the subscription's. */
  onNotification({ method, params }: JsonRpcNotification): void {
    const id = this.#request?.id;
    if (this.#stopped || id === undefined) return;
    if (method === "notifications/cancelled" && params?.["requestId"] === id) {
      this.#request?.forget();
      this.#reopen();
    }
    if (metaOf(params)?.[META.subscriptionId] !== id) return;
    if (method === "notifications/tools/list_changed") {
      this.#hears = true;
      this.#deps.onListChanged();
    }
    if (method === "notifications/subscriptions/acknowledged") this.#onAcknowledged(params ?? {});
  }

  onAnswer(answer: JsonRpcResponse): void {
    this.#hears = false;
    if (!("error" in answer)) {
      this.#reopen();
      return;
    }
    const { connectorId, logger } = this.#deps;
    logger.warn(
      { connectorId, code: answer.error.code },
      "Connector does not let the gateway listen for changes of its tools",
    );
  }

  onProgress(): void {}

  /** The server does not read right now, or is gone: then `stop` follows at once. */
  onFailure(error: GatewayError): void {
    const { connectorId, logger } = this.#deps;
    logger.debug({ connectorId, err: error }, "Listening for changes of a connector's tools ended");
    this.#reopen();
  }

  #onAcknowledged(params: JsonObject): void {
    this.#attempt = 0;
    this.#hears = grantsToolChanges(params);
    const { connectorId, logger, onListChanged } = this.#deps;
    if (!this.#hears) logger.debug({ connectorId }, "Connector will not tell of changes of its tools");
    if (!this.#missed) return;
    this.#missed = false;
    onListChanged();
  }

  /** What changed while nobody listened is not told again: once it is heard that the new subscription stands, the tools count as changed. */
  #reopen(): void {
    if (this.#stopped) return;
    const { timers, random } = this.#deps;
    this.#hears = false;
    this.#request = undefined;
    this.#missed = true;
    this.#cancelReopening = timers.after(backoffDelayMs(this.#attempt, BACKOFF, random), () => {
      this.#attempt += 1;
      this.start();
    });
  }
}
