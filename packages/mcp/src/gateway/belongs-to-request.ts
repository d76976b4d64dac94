import { isOfProtocol, isResourceUpdate } from "@cortex-os/mcp-bridge";
import { changedFeature, META, metaOf, type JsonRpcNotification } from "@cortex-os/mcp-core/wire";

/**
 * Whether a notification that came with the answer to one request is that request's own, so that it may go to a channel on which the client tells requests and
 * subscriptions apart by what messages say. What one upstream says must not end, answer or advance what the client has with another.
 *
 * @param token the progress token of the request
 */
export function belongsToRequest(notification: JsonRpcNotification, token: string | number | undefined): boolean {
  const { method, params } = notification;
  if (method === "notifications/progress") return token !== undefined && params?.["progressToken"] === token;
  if (isOfProtocol(method) || isResourceUpdate(notification) || changedFeature(method) !== undefined) return false;
  return metaOf(params)?.[META.subscriptionId] === undefined;
}
