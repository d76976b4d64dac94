import type { Exchange } from "@cortex-os/mcp-bridge";
import { GatewayError } from "@cortex-os/mcp-core";
import { isJsonObject, META, type JsonObject, type RequestId } from "@cortex-os/mcp-core/wire";
import { ANSWERED, type ClientSink } from "./client-sink.js";

interface Subscription {
  readonly id: RequestId;
  readonly sink: ClientSink;
  readonly toolsListChanged: boolean;
}

/**
 * The modern era's `subscriptions/listen` streams (2026-07-28, Subscriptions). Each is acknowledged first, hears only what it asked for, and carries
 * its `subscriptionId` on every message.
 */
export class Subscriptions {
  readonly #open = new Set<Subscription>();

  get size(): number {
    return this.#open.size;
  }

  /** Opens a stream, or fails `sink` when nothing says what it is for; it ends by `cancel` of the returned exchange or by {@link endAll}. */
  open(id: RequestId, params: JsonObject | undefined, sink: ClientSink): Exchange {
    const asked = params?.["notifications"];
    if (!isJsonObject(asked)) {
      const message = "params.notifications must be an object that says what to listen to";
      sink.fail(new GatewayError("INVALID_PARAMS", message));
      return ANSWERED;
    }
    const toolsListChanged = asked["toolsListChanged"] === true;
    const subscription: Subscription = { id, sink, toolsListChanged };
    this.#open.add(subscription);
    // Only what we will really send is acknowledged: resources and prompts are not served yet.
    sink.notify({
      jsonrpc: "2.0",
      method: "notifications/subscriptions/acknowledged",
      params: { _meta: metaOf(id), notifications: toolsListChanged ? { toolsListChanged } : {} },
    });
    return {
      cancel: () => {
        this.#open.delete(subscription);
      },
      resume: () => {},
    };
  }

  /** Tells every listener that asked that the tools changed. */
  toolsChanged(): void {
    for (const { id, sink, toolsListChanged } of [...this.#open]) {
      if (!toolsListChanged) continue;
      sink.notify({ jsonrpc: "2.0", method: "notifications/tools/list_changed", params: { _meta: metaOf(id) } });
    }
  }

  /** Ends every stream with a result, as a server that closes should. */
  endAll(): void {
    for (const { id, sink } of [...this.#open]) {
      sink.respond({ jsonrpc: "2.0", id, result: { resultType: "complete", _meta: metaOf(id) } });
    }
    this.#open.clear();
  }
}

const metaOf = (id: RequestId): JsonObject => ({ [META.subscriptionId]: id });
