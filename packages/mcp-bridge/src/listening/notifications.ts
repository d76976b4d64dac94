/** Notifications that are about a request, or the connection itself: outside of the request they mean nothing to anybody. */
const OF_PROTOCOL: ReadonlySet<string> = new Set([
  "notifications/cancelled",
  "notifications/initialized",
  "notifications/progress",
  "notifications/subscriptions/acknowledged",
]);

/** Whether a notification is between the gateway and its upstream: never passed on, whatever it holds. */
export const isOfProtocol = (method: string): boolean => OF_PROTOCOL.has(method);
