import { META, metaOf, type JsonRpcNotification } from "@cortex-os/mcp-core/wire";

/** Notifications that are about a request, or the connection itself: outside of the request they mean nothing to anybody. */
const OF_PROTOCOL: ReadonlySet<string> = new Set([
  "notifications/cancelled",
  "notifications/initialized",
  "notifications/progress",
  "notifications/subscriptions/acknowledged",
]);

/** How the names of those begin that the gateway and its relays send each other. */
export const OWN_NOTIFICATIONS = "notifications/cortex-mcp/";

/**
 * Whether a notification is between the gateway and its upstream, or not for an upstream to say: never passed on, whatever it holds. By a forged farewell to a
 * relay, calls would be carried out twice.
 */
export const isOfProtocol = (method: string): boolean =>
  OF_PROTOCOL.has(method) || method.startsWith(OWN_NOTIFICATIONS);

/** Whether a notification says that a resource changed. Wherever it comes, it is for those who subscribed with the gateway. */
export const isResourceUpdate = ({ method }: JsonRpcNotification): boolean =>
  method === "notifications/resources/updated";

/** A notification without the mark of the subscription it came by, which is between the gateway and its upstream; everything else as it was. */
export function withoutSubscriptionId(notification: JsonRpcNotification): JsonRpcNotification {
  const { params } = notification;
  const meta = metaOf(params);
  if (params === undefined || meta?.[META.subscriptionId] === undefined) return notification;
  const { [META.subscriptionId]: _, ...kept } = meta;
  const { _meta: __, ...rest } = params;
  return { ...notification, params: Object.keys(kept).length === 0 ? rest : { ...rest, _meta: kept } };
}
