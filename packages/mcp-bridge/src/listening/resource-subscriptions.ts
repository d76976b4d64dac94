import { GatewayError } from "@cortex-os/mcp-core";
import { isJsonObject, type JsonObject, type JsonRpcNotification } from "@cortex-os/mcp-core/wire";

/** Keeps an upstream telling of changes of single resources; see `Link.subscribe`. */
export interface ResourceSubscriptions {
  /** What is subscribed to, or about to be. */
  readonly uris: readonly string[];
  subscribe(uri: string): Promise<void>;
  unsubscribe(uri: string): Promise<void>;
}

const METHOD_UNKNOWN = -32_601;

/** Whether an upstream with these capabilities lets its clients subscribe to resources. */
export function offersSubscriptions({ resources }: JsonObject): boolean {
  return isJsonObject(resources) && resources["subscribe"] === true;
}

/** Subscriptions to an upstream that has none: what it would say itself. @param name how messages name the upstream */
export function noSubscriptions(name: string): ResourceSubscriptions {
  const message = `${name} does not offer subscriptions to resources`;
  const error = () => new GatewayError("UPSTREAM_PROTOCOL", message, { data: { upstreamCode: METHOD_UNKNOWN } });
  return { uris: [], subscribe: () => Promise.reject(error()), unsubscribe: () => Promise.resolve() };
}

/** What an upstream would have said of a resource that may have changed while nobody listened. */
export function resourceUpdated(uri: string): JsonRpcNotification {
  return { jsonrpc: "2.0", method: "notifications/resources/updated", params: { uri } };
}
