import { changedFeature, type Era, type JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import type { LinkEvents } from "../link.js";
import { isOfProtocol, isResourceUpdate } from "../listening/notifications.js";
import { isLog } from "../log-levels.js";

/**
 * Tells of what a child said outside of any request and of any subscription. A modern one says nothing of changes there, and logs for requests only.
 *
 * @param sessionKey the client session whose own child it is; absent for the one that all share
 */
export function tellOf(notification: JsonRpcNotification, era: Era, events: LinkEvents, sessionKey?: string): void {
  const { method } = notification;
  const changed = changedFeature(method);
  const isStray = era === "modern" && (changed !== undefined || isResourceUpdate(notification) || isLog(notification));
  if (isStray || isOfProtocol(method)) return;
  if (changed === undefined) events.onNotification(notification, sessionKey);
  // Lists come from the shared process: what another one says about its own concerns nobody.
  else if (sessionKey === undefined) events.onListChanged(changed);
}
