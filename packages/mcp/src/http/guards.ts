import type { IncomingMessage } from "node:http";
import { duplicateHeader } from "./duplicate-header.js";

/** What a request must satisfy before anything of it is read. */
export interface GuardPolicy {
  /** Host names, without port, that a request may be addressed to, besides the loopback names. */
  readonly allowedHosts: readonly string[];
  /** Origins as browsers send them (`https://app.example`), besides those on loopback. */
  readonly allowedOrigins: readonly string[];
}

/** Why a request is refused, with which HTTP status and which error. */
export interface Refusal {
  readonly status: 400 | 403;
  readonly reason: "host" | "origin" | "headers";
  readonly code: "FORBIDDEN" | "HEADER_MISMATCH";
  readonly message: string;
}

const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Checks `Host` and `Origin`, each on its own (DNS rebinding: reliability.md, threats 1–3), duplicates of headers that must be single, and the form of the
 * request target. An `Origin` may be absent (no browser), never `null`.
 */
export function guard(request: IncomingMessage, policy: GuardPolicy): Refusal | undefined {
  const duplicate = duplicateHeader(request.rawHeaders);
  if (duplicate !== undefined) {
    // One of MCP's that says two things is malformed as the specification means it (2026-07-28, Server Validation).
    const code = duplicate.startsWith("mcp-") ? "HEADER_MISMATCH" : "FORBIDDEN";
    return { status: 400, reason: "headers", code, message: `The header ${duplicate} may be sent only once` };
  }
  if (!request.url?.startsWith("/")) {
    return { status: 400, reason: "headers", code: "FORBIDDEN", message: "The request target must be a path" };
  }
  if (!isAllowedHost(request.headers.host, policy)) {
    const message = "The Host header does not name this gateway; add the name to allowedHosts if it should";
    return { status: 403, reason: "host", code: "FORBIDDEN", message };
  }
  const { origin } = request.headers;
  if (origin !== undefined && !isAllowedOrigin(origin, policy)) {
    const message = "The Origin header is not allowed here; add it to allowedOrigins if it should be";
    return { status: 403, reason: "origin", code: "FORBIDDEN", message };
  }
  return undefined;
}

function isAllowedHost(host: string | undefined, policy: GuardPolicy): boolean {
  if (host === undefined) return false;
  const name = hostNameOf(host);
  return name !== undefined && (LOOPBACK.has(name) || policy.allowedHosts.includes(name));
}

/** `name[:port]` without the port, lower-case; `undefined` for anything else, such as user info. */
function hostNameOf(host: string): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?)(?::\d{1,5})?$/i.exec(host);
  return match?.[1]?.toLowerCase();
}

function isAllowedOrigin(origin: string, policy: GuardPolicy): boolean {
  // "null" is what any sandboxed page sends: whoever allows it allows everybody.
  if (origin !== "null" && policy.allowedOrigins.includes(origin)) return true;
  const match = /^https?:\/\/([^/@?#]+)$/.exec(origin);
  const name = match?.[1] === undefined ? undefined : hostNameOf(match[1]);
  return name !== undefined && LOOPBACK.has(name);
}
