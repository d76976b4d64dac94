import type { Caller } from "@cortex-os/mcp-bridge";
import { GatewayError } from "@cortex-os/mcp-core";
import {
  ANONYMOUS,
  isJsonObject,
  isLogLevel,
  isModernRevision,
  LOG_LEVELS,
  META,
  metaOf,
  SUPPORTED_REVISIONS,
  type JsonObject,
  type JsonRpcRequest,
} from "@cortex-os/mcp-core/wire";

/** Who sends a modern request: everything there is to know is in its `_meta` (2026-07-28, basic, `_meta`). */
export function modernCaller(params: JsonObject | undefined): Caller {
  const meta = metaOf(params);
  const revision = meta?.[META.protocolVersion];
  const clientInfo = meta?.[META.clientInfo];
  const logLevel = meta?.[META.logLevel];
  return {
    era: "modern",
    revision: typeof revision === "string" ? revision : "",
    principal: ANONYMOUS.id,
    clientInfo: isJsonObject(clientInfo) ? clientInfo : undefined,
    logLevel: isLogLevel(logLevel) ? logLevel : undefined,
  };
}

/**
 * Whether the `_meta` of a modern request says what it has to: a revision that the gateway speaks, the client's capabilities, and a log level only if it is one.
 * @returns the error to answer with, or `undefined` when all is well
 */
export function checkModernMeta({ params }: JsonRpcRequest): GatewayError | undefined {
  const meta = metaOf(params);
  const revision = meta?.[META.protocolVersion];
  if (typeof revision !== "string") return missingMeta(META.protocolVersion);
  if (!isModernRevision(revision)) return unsupportedVersion(revision);
  if (!isJsonObject(meta?.[META.clientCapabilities])) return missingMeta(META.clientCapabilities);
  const logLevel = meta[META.logLevel];
  // 2026-07-28, Logging, Error Handling.
  if (logLevel === undefined || isLogLevel(logLevel)) return undefined;
  return new GatewayError("INVALID_PARAMS", `params._meta.${META.logLevel} must be one of ${LOG_LEVELS.join(", ")}`);
}

/** −32022 with what the gateway speaks, for a revision it does not. */
export function unsupportedVersion(requested: string): GatewayError {
  return new GatewayError("VERSION_UNSUPPORTED", "Unsupported protocol version", {
    data: { supported: SUPPORTED_REVISIONS, requested: requested.slice(0, 100) },
  });
}

/** −32602 for a field of `_meta` that every modern request needs. */
export const missingMeta = (key: string): GatewayError =>
  new GatewayError("INVALID_PARAMS", `params._meta is missing the required field ${key}`);
