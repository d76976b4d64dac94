import {
  isLogLevel,
  isLogWanted,
  META,
  metaOf,
  type JsonObject,
  type JsonRpcNotification,
  type LogLevel,
} from "@cortex-os/mcp-core/wire";
import type { UpstreamCall } from "./runtime/exchange.js";

/** Whether an upstream with these capabilities has log messages to send, and, in the legacy era, can be told from which level on. */
export const offersLogging = ({ logging }: JsonObject): boolean => logging !== undefined;

/** From which level on a call asks for log messages: a modern one says so itself (2026-07-28, Logging), a legacy one by its session. */
export function askedLevel({ caller, params }: Pick<UpstreamCall, "caller" | "params">): LogLevel | undefined {
  const level = caller.era === "modern" ? metaOf(params)?.[META.logLevel] : caller.logLevel;
  return isLogLevel(level) ? level : undefined;
}

/**
 * From which level on a call gets the log messages that certainly are its own: those it asked for; and everything, if its session never said anything and
 * knows no other way.
 */
export function ownLogLevel(call: Pick<UpstreamCall, "caller" | "params">): LogLevel | undefined {
  return askedLevel(call) ?? (call.caller.era === "legacy" ? "debug" : undefined);
}

/** Whether a notification is a log message. */
export const isLog = ({ method }: JsonRpcNotification): boolean => method === "notifications/message";

/** Whether a log message is wanted by who gets those from `level` on; `undefined` wants none. */
export function isLogFor(level: LogLevel | undefined, { params }: JsonRpcNotification): boolean {
  return level !== undefined && isLogWanted(params?.["level"], level);
}
