import {
  isJsonObject,
  isModernRevision,
  META,
  metaOf,
  MODERN_REVISIONS,
  type JsonRpcRequest,
} from "@cortex-os/mcp-core/wire";
import type { Caller, Headers } from "./caller.js";
import { isLogLevel } from "./log-level.js";
import { CODE, RpcFailure } from "./rpc-failure.js";

/**
 * Reads who sends a modern request from its `_meta` (2026-07-28, basic, Per-request protocol fields).
 * @throws RpcFailure −32602 (HTTP 400) when a required field is missing or malformed, −32022 (HTTP 400) naming what we
 *   speak when the revision is not among it
 */
export function modernCaller(request: JsonRpcRequest, headers: Headers): Caller {
  const meta = metaOf(request.params) ?? {};
  const protocolVersion = meta[META.protocolVersion];
  const clientCapabilities = meta[META.clientCapabilities];
  const clientInfo = meta[META.clientInfo];
  const logLevel = meta[META.logLevel];
  if (typeof protocolVersion !== "string") throw malformed(META.protocolVersion, "a string");
  if (!isModernRevision(protocolVersion)) throw unsupportedVersion(protocolVersion);
  if (!isJsonObject(clientCapabilities)) throw malformed(META.clientCapabilities, "an object");
  if (clientInfo !== undefined && !isJsonObject(clientInfo))
    throw malformed(META.clientInfo, "an object if it is there");
  if (logLevel !== undefined && !isLogLevel(logLevel)) throw malformed(META.logLevel, "a log level if it is there");
  return { era: "modern", protocolVersion, clientInfo, clientCapabilities, session: false, logLevel, headers };
}

/** −32022 with what we speak and what was asked for (versioning, Protocol Version Negotiation). */
const unsupportedVersion = (requested: string): RpcFailure =>
  new RpcFailure(
    CODE.unsupportedVersion,
    `Unsupported protocol version: this server speaks ${MODERN_REVISIONS.join(", ")}`,
    {
      data: { supported: MODERN_REVISIONS, requested },
      httpStatus: 400,
    },
  );

const malformed = (key: string, what: string): RpcFailure =>
  new RpcFailure(CODE.invalidParams, `params._meta["${key}"] must be ${what}`, { httpStatus: 400 });

/**
 * What a server of the modern era alone tells a client that opens with `initialize`: legacy clients cannot find out for
 * themselves, so the error names what is spoken here (versioning, Backward Compatibility).
 */
export function refuseInitialize(request: JsonRpcRequest): RpcFailure {
  const requested = request.params?.["protocolVersion"];
  return unsupportedVersion(typeof requested === "string" ? requested : "");
}
