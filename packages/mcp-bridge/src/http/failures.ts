import { GatewayError, type GatewayErrorOptions } from "@cortex-os/mcp-core";
import { NOT_PUBLIC } from "../address/public-only-lookup.js";
import { quoteUpstream } from "../upstream-text.js";

/** What is said of an address that is not public where only a public one will do: the connector was named over HTTP, not on this machine. */
export const NOT_PUBLIC_REASON =
  "its address is not public, and only local configuration may name such a one; allow its origin there if it is meant";

/** Why a connection could not be made, by the code that Node, OpenSSL or undici gives the error. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the host name cannot be looked up right now",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the network",
  ETIMEDOUT: "no connection in time",
  UND_ERR_CONNECT_TIMEOUT: "no connection in time",
  UND_ERR_SOCKET: "the other side closed the connection",
  UND_ERR_HEADERS_OVERFLOW: "the response headers are too large",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "the response is shorter or longer than announced",
  UND_ERR_DESTROYED: "the connection pool is closed",
  UND_ERR_CLOSED: "the connection pool is closed",
  [NOT_PUBLIC]: NOT_PUBLIC_REASON,
};

/** How every message of this package names the upstream. */
export const connectorName = (key: string): string => `Connector "${key}"`;

/** The `code` of whatever was thrown, or of the first error inside an `AggregateError`. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return codeOf(error.cause);
}

/** Why a connection failed, made of the error's code alone. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (code === undefined) return "the connection failed";
  if (code.startsWith("HPE_")) return `the response is not HTTP (${code})`;
  return REASONS[code] ?? `the connection failed (${code})`;
}

/** UPSTREAM_UNAVAILABLE because no connection could be made: nothing was sent, and the link is lost. */
export class UnreachableError extends GatewayError {
  constructor(key: string, cause: unknown) {
    super("UPSTREAM_UNAVAILABLE", `${connectorName(key)} cannot be reached: ${reasonOf(cause)}`, { cause });
  }
}

/** UPSTREAM_UNAVAILABLE because the upstream wants an authorization that is not to be had now: nothing was carried out, and the link is lost. */
export class UnauthorizedError extends GatewayError {
  constructor(key: string, why: string, options: GatewayErrorOptions = {}) {
    super("UPSTREAM_UNAVAILABLE", `${connectorName(key)} ${why}`, options);
  }
}

/**
 * UPSTREAM_PROTOCOL because `initialize` by POST met HTTP 400, 404 or 405 and nothing modern: there is no Streamable HTTP server at this address, but
 * there may be one of the older HTTP+SSE (2025-11-25, transports, Backwards Compatibility).
 */
export class NotStreamableError extends GatewayError {
  constructor(message: string) {
    super("UPSTREAM_PROTOCOL", message);
  }
}

/**
 * UPSTREAM_UNAVAILABLE for a connection that could not be made or broke. The message is made of the error's code alone,
 * because Node's own messages may quote addresses.
 *
 * @param sent whether bytes of the request may have reached the upstream: then it may have been carried out
 * @returns the error itself when it is one of ours already
 */
export function connectionFailure(key: string, error: unknown, sent: boolean): GatewayError {
  if (GatewayError.is(error)) return error;
  if (!sent) return new UnreachableError(key, error);
  const message = `${connectorName(key)} broke off before its answer was complete: ${reasonOf(error)}; the request may have been carried out`;
  return new GatewayError("UPSTREAM_UNAVAILABLE", message, { cause: error });
}

/** Whether a request was not even tried, because HTTP cannot carry it: that says nothing about the upstream. */
export const isUnsendable = (error: unknown): boolean => codeOf(error) === "UND_ERR_INVALID_ARG";

/** INVALID_REQUEST for what {@link isUnsendable}. */
export const unsendableFailure = (cause: unknown): GatewayError =>
  new GatewayError("INVALID_REQUEST", "The request has headers that HTTP cannot carry", { cause });

/** Whether a failed request means that the upstream cannot be used by anybody. @param sent whether bytes of it may have reached the upstream */
export const losesLink = (error: unknown, sent: boolean): boolean =>
  error instanceof UnauthorizedError || (!sent && !isUnsendable(error));

/** UPSTREAM_PROTOCOL: the upstream said something that is not MCP. */
export function protocolFailure(key: string, what: string, cause?: unknown): GatewayError {
  const options = cause === undefined ? {} : { cause };
  return new GatewayError("UPSTREAM_PROTOCOL", `${connectorName(key)} ${what}`, options);
}

/** UPSTREAM_TIMEOUT: nothing came for as long as it may. */
export function timeoutFailure(key: string, waitedMs: number, what = "did not answer"): GatewayError {
  return new GatewayError("UPSTREAM_TIMEOUT", `${connectorName(key)} ${what} within ${waitedMs} ms`);
}

/** UPSTREAM_LIMIT: the upstream said more than the gateway reads. */
export function tooLargeFailure(key: string, maxBytes: number): GatewayError {
  return new GatewayError("UPSTREAM_LIMIT", `${connectorName(key)} answered with more than ${maxBytes} bytes`);
}

/** UPSTREAM_LIMIT: with what other calls hold, it would be more than the gateway keeps in memory. */
export function heldFailure(key: string, maxBytes: number): GatewayError {
  const message = `${connectorName(key)} answers with more than the gateway can hold right now (${maxBytes} bytes for all answers together); try again when other calls have ended`;
  return new GatewayError("UPSTREAM_LIMIT", message);
}

/** UPSTREAM_UNAVAILABLE: an answer ended half-way, and the upstream does not let it be read on. */
export function resumeFailure(key: string, why: string, cause?: unknown): GatewayError {
  const message = `${connectorName(key)} ended its response before the answer, and it could not be read on: ${why}; the request may have been carried out`;
  return new GatewayError("UPSTREAM_UNAVAILABLE", message, cause === undefined ? {} : { cause });
}

/** UPSTREAM_UNAVAILABLE: the gateway itself closes the connector. */
export function closedFailure(key: string): GatewayError {
  return new GatewayError("UPSTREAM_UNAVAILABLE", `${connectorName(key)} is being closed`);
}

/** UPSTREAM_UNAVAILABLE: the call outlived its connector by all the time it was given. @param why what became of the connector: "was changed" */
export function cutShortFailure(key: string, why: string, graceMs: number): GatewayError {
  const message = `${connectorName(key)} ${why}, and this call had not ended ${graceMs} ms later; whether it took effect is unknown`;
  return new GatewayError("UPSTREAM_UNAVAILABLE", message);
}

/**
 * What an HTTP status means whose body is no JSON-RPC answer.
 *
 * @param text the body, quoted in the message where it helps to find the mistake
 */
export function statusFailure(key: string, status: number, text: string): GatewayError {
  const name = connectorName(key);
  if (status === 401 || status === 403) {
    const message = `${name} answered HTTP ${status}: it needs credentials, or other ones; check the headers configured for it`;
    return new GatewayError("UPSTREAM_UNAVAILABLE", message);
  }
  if (status >= 300 && status < 400) {
    const message = `${name} answered with a redirect (HTTP ${status}), which is not followed; configure the address it leads to`;
    return new GatewayError("UPSTREAM_PROTOCOL", message);
  }
  if (status === 429) return new GatewayError("UPSTREAM_LIMIT", `${name} answered HTTP 429: too many requests`);
  if (status === 408 || status === 425 || status >= 500) {
    return new GatewayError("UPSTREAM_UNAVAILABLE", `${name} answered HTTP ${status} ${quoteUpstream(text)}`);
  }
  return new GatewayError(
    "UPSTREAM_PROTOCOL",
    `${name} answered HTTP ${status} without a JSON-RPC message ${quoteUpstream(text)}`,
  );
}
