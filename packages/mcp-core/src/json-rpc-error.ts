import { GatewayError, type GatewayErrorCode } from "./errors.js";
import type { JsonRpcErrorObject } from "./wire/json-rpc.js";

/**
 * The wire code of each failure (design.md, contracts). −31001…−31005 are ours: −32000…−32019 are not to be taken and
 * −32020…−32099 belong to the specification (2026-07-28, basic, Error Codes).
 */
export const WIRE_CODE = {
  UPSTREAM_UNAVAILABLE: -31_001,
  UPSTREAM_PROTOCOL: -31_001,
  UPSTREAM_TIMEOUT: -31_002,
  UPSTREAM_LIMIT: -31_003,
  LIMITED: -31_003,
  NOT_READY: -31_004,
  FORBIDDEN: -31_005,
  TOOL_UNKNOWN: -32_602,
  INVALID_PARAMS: -32_602,
  INVALID_REQUEST: -32_600,
  PARSE_ERROR: -32_700,
  METHOD_UNKNOWN: -32_601,
  HEADER_MISMATCH: -32_020,
  CAPABILITY_MISSING: -32_021,
  VERSION_UNSUPPORTED: -32_022,
  CANCELLED: -32_603,
  USER_INPUT: -32_603,
  REGISTRY_IO: -32_603,
  SERVICE_MAP: -32_603,
  INTERNAL: -32_603,
} as const satisfies Record<GatewayErrorCode, number>;

/**
 * The HTTP status that the specification fixes for an error in the modern era (2026-07-28, Streamable HTTP); 200 otherwise.
 */
const MODERN_HTTP_STATUS: Partial<Record<GatewayErrorCode, number>> = {
  PARSE_ERROR: 400,
  INVALID_REQUEST: 400,
  METHOD_UNKNOWN: 404,
  HEADER_MISMATCH: 400,
  CAPABILITY_MISSING: 400,
  VERSION_UNSUPPORTED: 400,
};

/** Codes whose messages are ours throughout and safe to show; the others may hold paths or causes. */
const HIDDEN: ReadonlySet<GatewayErrorCode> = new Set(["INTERNAL", "USER_INPUT", "REGISTRY_IO", "SERVICE_MAP"]);

/**
 * The only place where a local failure becomes a wire error (design.md, decision 7). Causes, stacks and paths never
 * cross it: what is not a {@link GatewayError} is −32603 "Internal error".
 */
export function toJsonRpcError(error: unknown): JsonRpcErrorObject {
  if (!GatewayError.is(error) || HIDDEN.has(error.code)) return { code: -32_603, message: "Internal error" };
  return {
    code: WIRE_CODE[error.code],
    message: error.message,
    ...(error.data === undefined ? {} : { data: error.data }),
  };
}

/** The HTTP status an error of ours travels with in the modern era. */
export function modernHttpStatus(error: unknown): number {
  return GatewayError.is(error) ? (MODERN_HTTP_STATUS[error.code] ?? 200) : 200;
}
