import type { JsonRpcErrorObject } from "@cortex-os/mcp-core/wire";

/** The codes this server answers with (JSON-RPC 2.0; 2026-07-28, basic, Error Codes; 2025-11-25, resources, Error Handling). */
export const CODE = {
  parseError: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internalError: -32_603,
  /** Legacy only: in the modern era it is `invalidParams`. */
  resourceNotFound: -32_002,
  headerMismatch: -32_020,
  /** Modern only. */
  capabilityMissing: -32_021,
  unsupportedVersion: -32_022,
} as const;

/** What {@link RpcFailure} may carry besides its code and message. */
export interface RpcFailureOptions {
  /** The `data` member of the error. */
  readonly data?: unknown;
  /** The HTTP status that the specification fixes for this failure. @default 200 */
  readonly httpStatus?: number;
}

/** A request that is answered with a JSON-RPC error. */
export class RpcFailure extends Error {
  override readonly name = "RpcFailure";
  readonly code: number;
  readonly data: unknown;
  readonly httpStatus: number;

  constructor(code: number, message: string, options: RpcFailureOptions = {}) {
    super(message);
    this.code = code;
    this.data = options.data;
    this.httpStatus = options.httpStatus ?? 200;
  }

  /** The `error` member of the answer. */
  toErrorObject(): JsonRpcErrorObject {
    const { code, message, data } = this;
    return data === undefined ? { code, message } : { code, message, data };
  }
}
