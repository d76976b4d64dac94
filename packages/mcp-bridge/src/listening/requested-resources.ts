import { messageOf, type Logger } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import type { ResourceSubscriptions } from "./resource-subscriptions.js";

/** What {@link RequestedResources} works through. */
export interface RequestedResourcesPorts {
  readonly key: string;
  readonly logger: Logger;
  /** A request of the gateway's own. @throws GatewayError as `Link.request` */
  readonly ask: (method: string, params: JsonObject) => Promise<unknown>;
}

/**
 * Subscriptions to the resources of a legacy upstream: a request for each (2025-11-25, Resources, Subscriptions). What concerns one
 * resource is asked in turn, because two requests over HTTP may arrive in either order.
 */
export class RequestedResources implements ResourceSubscriptions {
  readonly #ports: RequestedResourcesPorts;
  readonly #uris = new Set<string>();
  readonly #turns = new Map<string, Promise<void>>();

  constructor(ports: RequestedResourcesPorts) {
    this.#ports = ports;
  }

  get uris(): readonly string[] {
    return [...this.#uris];
  }

  async subscribe(uri: string): Promise<void> {
    this.#uris.add(uri);
    try {
      await this.#inTurn(uri, "resources/subscribe");
    } catch (error) {
      this.#uris.delete(uri);
      throw error;
    }
  }

  async unsubscribe(uri: string): Promise<void> {
    if (!this.#uris.delete(uri)) return;
    await this.#inTurn(uri, "resources/unsubscribe").catch(this.#noteFailed);
  }

  /** The upstream has forgotten everything: subscribes anew. */
  renew(): void {
    for (const uri of this.#uris) this.#inTurn(uri, "resources/subscribe").catch(this.#noteFailed);
  }

  readonly #noteFailed = (error: unknown): void => {
    const { key, logger } = this.#ports;
    logger.debug({ connectorId: key, reason: messageOf(error) }, "The upstream did not agree about a subscription");
  };

  async #inTurn(uri: string, method: string): Promise<void> {
    const turn = (this.#turns.get(uri) ?? Promise.resolve()).then(() => this.#ports.ask(method, { uri }));
    const settled = turn.then(
      () => {},
      () => {},
    );
    this.#turns.set(uri, settled);
    void settled.then(() => {
      if (this.#turns.get(uri) === settled) this.#turns.delete(uri);
    });
    await turn;
  }
}
