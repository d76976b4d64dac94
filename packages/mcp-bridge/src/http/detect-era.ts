import type { GatewayError } from "@cortex-os/mcp-core";
import {
  eraOfRevision,
  isJsonObject,
  isLegacyRevision,
  isModernRevision,
  type JsonObject,
} from "@cortex-os/mcp-core/wire";
import { quoteUpstream } from "../upstream-text.js";
import { connectorName, NotStreamableError, protocolFailure, statusFailure } from "./failures.js";
import type { HttpReply } from "./http-reply.js";

/** What the answer to `server/discover` says about an upstream. */
export type ProbeVerdict =
  /** It speaks a modern revision that the gateway speaks too. */
  | { readonly kind: "modern"; readonly revision: string; readonly result: JsonObject }
  /** It refuses the revision it was asked in, and names one that the gateway speaks. */
  | { readonly kind: "again"; readonly revision: string }
  /** It is modern, but does not answer `server/discover`: what it offers is not known. */
  | { readonly kind: "modern-silent" }
  /** Not modern: `initialize` decides. Where even that fails, `otherwise` says what the probe alone would have meant. */
  | { readonly kind: "legacy"; readonly otherwise?: "modern-silent" }
  /** No verdict on the era: the answer is not about the protocol at all. */
  | { readonly kind: "failed"; readonly error: GatewayError };

const HEADER_MISMATCH = -32_020;
const CAPABILITY_MISSING = -32_021;
const VERSION_UNSUPPORTED = -32_022;
const METHOD_UNKNOWN = -32_601;

/** A modern server says so itself, whatever it was asked. */
const isModernError = (code: number): boolean =>
  code === HEADER_MISMATCH || code === CAPABILITY_MISSING || code === VERSION_UNSUPPORTED;

/** Statuses of a POST after which a server of the older HTTP+SSE transport is looked for (2025-11-25, transports, Backwards Compatibility). */
const isNoPost = (status: number): boolean => status === 400 || status === 404 || status === 405;

/** Statuses that pass: they say nothing about the era, and asking again may help. */
const isTransient = (status: number): boolean => status >= 500 || status === 408 || status === 425 || status === 429;

/**
 * The whole rule of 2026-07-28, Streamable HTTP, Backward Compatibility, with no socket in sight. A time-out, a 5xx, a 401
 * or a 403 is never an era verdict; a recognised modern error is modern; anything else falls back to `initialize`.
 */
export function judgeProbe(key: string, reply: HttpReply): ProbeVerdict {
  const { status, response } = reply;
  if (saysNothingOfEra(status)) {
    return { kind: "failed", error: statusFailure(key, status, reply.body) };
  }
  if (response === undefined) return { kind: "legacy" };
  if (!("error" in response)) return judgeResult(key, response.result);
  const { code, data } = response.error;
  if (code === VERSION_UNSUPPORTED && isJsonObject(data) && isList(data["supported"])) {
    const revision = data["supported"].find((version) => typeof version === "string" && isModernRevision(version));
    return typeof revision === "string" ? { kind: "again", revision } : judgeVersions(key, data["supported"]);
  }
  if (code === HEADER_MISMATCH || code === CAPABILITY_MISSING) return { kind: "modern-silent" };
  // 404 with −32601 is what a modern server says to an unknown method, and what some legacy frameworks say as well.
  if (code === METHOD_UNKNOWN && status === 404) return { kind: "legacy", otherwise: "modern-silent" };
  return { kind: "legacy" };
}

function judgeResult(key: string, result: JsonObject): ProbeVerdict {
  const versions = result["supportedVersions"];
  if (!isList(versions)) return { kind: "legacy" };
  const revision = versions.find((version) => typeof version === "string" && isModernRevision(version));
  if (typeof revision === "string") return { kind: "modern", revision, result };
  return judgeVersions(key, versions);
}

/** `Array.isArray` makes its elements `any`. */
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** The gateway asked in the only modern revision it knows: what remains is a legacy one, or none. */
function judgeVersions(key: string, versions: readonly unknown[]): ProbeVerdict {
  const known = versions.filter((version): version is string => typeof version === "string");
  if (known.some(isLegacyRevision)) return { kind: "legacy" };
  const list = JSON.stringify(known.slice(0, 10).map((version) => version.slice(0, 32)));
  const error = protocolFailure(key, `speaks none of the revisions the gateway speaks; it offers ${list}`);
  return { kind: "failed", error };
}

/**
 * What the answer to `initialize` agreed on, or why there is no agreement.
 *
 * @returns the revision, or the error that makes the connector down
 */
export function judgeInitialize(
  key: string,
  reply: Pick<HttpReply, "status" | "body" | "response">,
): { revision: string; result: JsonObject } | GatewayError {
  const { status, response } = reply;
  if (response === undefined) return initializeRefused(key, reply);
  if ("error" in response) {
    const { code, message } = response.error;
    if (saysNothingOfEra(status)) return statusFailure(key, status, message);
    const refused = protocolFailure(key, `refused initialize with error ${code} ${quoteUpstream(message)}`);
    return isNoPost(status) && !isModernError(code) ? new NotStreamableError(refused.message) : refused;
  }
  const revision = response.result["protocolVersion"];
  if (typeof revision === "string" && isLegacyRevision(revision)) return { revision, result: response.result };
  const shown = JSON.stringify(revision)?.slice(0, 40) ?? "none";
  const era = typeof revision === "string" ? ` (${eraOfRevision(revision)})` : "";
  return protocolFailure(
    key,
    `answered initialize with protocol version ${shown}${era}, which the gateway does not speak`,
  );
}

/** Whether a status is about something else than what the server speaks. */
export const saysNothingOfEra = (status: number): boolean =>
  status === 401 || status === 403 || isTransient(status) || (status >= 300 && status < 400);

function initializeRefused(key: string, { status, body }: Pick<HttpReply, "status" | "body">): GatewayError {
  if (!isNoPost(status)) return statusFailure(key, status, body);
  return new NotStreamableError(
    `${connectorName(key)} answered HTTP ${status} to POST: there is no Streamable HTTP server at this address, and none of the older HTTP+SSE either; check the URL`,
  );
}
