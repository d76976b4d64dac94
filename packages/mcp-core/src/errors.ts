/**
 * Every way in which the gateway itself can fail; a closed set, so that callers can branch on it.
 *
 * `USER_INPUT` is what a person can mend in a command or a file; `SERVICE_MAP` is a service map that could not be fetched or was refused;
 * `INTERNAL` is a bug of ours.
 */
export const GATEWAY_ERROR_CODES = [
  "UPSTREAM_UNAVAILABLE",
  "UPSTREAM_TIMEOUT",
  "UPSTREAM_PROTOCOL",
  "UPSTREAM_LIMIT",
  "LIMITED",
  "NOT_READY",
  "FORBIDDEN",
  "TOOL_UNKNOWN",
  "INVALID_PARAMS",
  "INVALID_REQUEST",
  "PARSE_ERROR",
  "METHOD_UNKNOWN",
  "HEADER_MISMATCH",
  "VERSION_UNSUPPORTED",
  "CAPABILITY_MISSING",
  "CANCELLED",
  "USER_INPUT",
  "REGISTRY_IO",
  "SERVICE_MAP",
  "INTERNAL",
] as const;

/** One of {@link GATEWAY_ERROR_CODES}. */
export type GatewayErrorCode = (typeof GATEWAY_ERROR_CODES)[number];

/** Options of a {@link GatewayError}. */
export interface GatewayErrorOptions extends ErrorOptions {
  /** Goes to the client as `error.data`; must hold nothing secret. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** What only an operator may see (an upstream's stderr may name paths and keys): for status and log, never for a client. */
  readonly detail?: string;
}

/**
 * The one error class. `code` is for callers, `message` for people, clients among them, `detail` for operators, `cause` for the log.
 *
 * Check with {@link GatewayError.is}: a marker survives duplicated copies of this package, `instanceof` does not.
 */
export class GatewayError extends Error {
  readonly isGatewayError = true;
  readonly code: GatewayErrorCode;
  readonly data: Readonly<Record<string, unknown>> | undefined;
  readonly detail: string | undefined;

  constructor(code: GatewayErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(message, options);
    this.name = "GatewayError";
    this.code = code;
    this.data = options.data;
    this.detail = options.detail;
  }

  /** Whether `value` is one of ours, also from another copy of this package. */
  static is(value: unknown): value is GatewayError {
    return value instanceof Error && "isGatewayError" in value && value.isGatewayError === true;
  }

  /** Wraps what was thrown, unless it is a {@link GatewayError} already. */
  static from(thrown: unknown, code: GatewayErrorCode, message: string): GatewayError {
    return GatewayError.is(thrown) ? thrown : new GatewayError(code, message, { cause: thrown });
  }
}

/** The message of whatever was thrown, for log lines and reasons: never empty, never a stack. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error && thrown.message !== "") return thrown.message;
  if (thrown instanceof Error) return thrown.name;
  return typeof thrown === "string" && thrown !== "" ? thrown : "unknown error";
}
