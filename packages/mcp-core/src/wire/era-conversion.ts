import { isTtl, NOT_TO_KEEP } from "./caching-hints.js";
import { isJsonObject, type JsonObject, type JsonRpcErrorObject, type JsonValue } from "./json-rpc.js";
import type { LogLevel } from "./log-level.js";
import { META, withMeta, withoutModernMeta } from "./meta.js";
import type { Era } from "./revisions.js";
import { LIST_KINDS, LISTS } from "./server-features.js";

/** Who calls, as far as an upstream may know it. */
export interface CallerIdentity {
  readonly era: Era;
  /** The revision the client speaks. */
  readonly revision: string;
  /** The client's own `clientInfo`, as it sent it. */
  readonly clientInfo?: JsonObject | undefined;
  /** What a legacy client declared in its `initialize`; a modern one says it in each request's `_meta`. @default nothing */
  readonly capabilities?: JsonObject;
  /** From which level on the client wants log messages: of its session, or of this request. @default none */
  readonly logLevel?: LogLevel | undefined;
}

/**
 * A request's params in the era of the upstream.
 *
 * Same era: the object itself. Legacy client, modern upstream: the per-request metadata is added, its session's log level with it; the client's capabilities are
 * declared as none, because an upstream that asks back across eras cannot be answered yet. Modern client, legacy upstream: the
 * modern era's `_meta` fields are taken away.
 */
export function paramsForUpstream(
  params: JsonObject | undefined,
  caller: CallerIdentity,
  upstream: { readonly era: Era; readonly revision: string },
): JsonObject {
  if (upstream.era === caller.era) return params ?? {};
  if (upstream.era === "legacy") return withoutModernMeta(params);
  const entries: Record<string, JsonValue> = {
    [META.protocolVersion]: upstream.revision,
    [META.clientCapabilities]: {},
  };
  if (caller.clientInfo !== undefined) entries[META.clientInfo] = caller.clientInfo;
  if (caller.logLevel !== undefined) entries[META.logLevel] = caller.logLevel;
  return withMeta(params, entries);
}

/** A result in the era of the client, or the error it becomes. */
export type ConvertedResult =
  | { readonly ok: true; readonly result: JsonObject }
  | { readonly ok: false; readonly error: JsonRpcErrorObject };

/** Between which eras an answer travels, and what it answers. */
export interface AnswerRoute {
  readonly upstream: Era;
  readonly client: Era;
  readonly method: string;
}

/** What of an upstream's own answers a modern client may keep; lists among them that the gateway does not know (2026-07-28, Caching, Cacheable Results). */
const CACHEABLE: ReadonlySet<string> = new Set(["resources/read", ...LIST_KINDS.map((kind) => LISTS[kind].method)]);

/**
 * An upstream's result in the era of the client. A modern client is owed a `resultType`, and with what it may keep a caching hint; a legacy one
 * has never heard of either, and cannot be asked for input in the modern way: that is refused with an error that says so.
 */
export function resultForClient(result: JsonObject, { upstream, client, method }: AnswerRoute): ConvertedResult {
  if (upstream === client) return { ok: true, result };
  const isCacheable = CACHEABLE.has(method);
  if (client === "modern") {
    const whole = { resultType: "complete", ...result };
    // Interim results carry no hints (2026-07-28, Caching).
    const isOwed = isCacheable && whole.resultType === "complete" && !hasHints(result);
    return { ok: true, result: isOwed ? { ...whole, ...NOT_TO_KEEP } : whole };
  }
  const { resultType, ...rest } = result;
  if (resultType === undefined || resultType === "complete") {
    return { ok: true, result: isCacheable ? withoutHints(rest) : withObjectOnly(rest) };
  }
  const message =
    resultType === "input_required"
      ? "The connector asks for input in a way that needs a client of revision 2026-07-28 or later"
      : `The connector answered with a result of type ${JSON.stringify(resultType)}, which this client's revision cannot carry`;
  return { ok: false, error: { code: INTERNAL_ERROR, message } };
}

/** Legacy revisions' "Resource not found", which a modern server must not emit any more. */
const LEGACY_NOT_FOUND = -32_002;
const INVALID_PARAMS = -32_602;
/** Its "URL elicitation required", which a modern server must not emit any more either: it would answer with `input_required`. */
const LEGACY_URL_ELICITATION = -32_042;
const INTERNAL_ERROR = -32_603;

/** An upstream's error in the era of the client (2026-07-28, Resources, Error Handling). */
export function errorForClient(error: JsonRpcErrorObject, { upstream, client }: AnswerRoute): JsonRpcErrorObject {
  if (upstream !== "legacy" || client !== "modern") return error;
  if (error.code === LEGACY_NOT_FOUND) return { ...error, code: INVALID_PARAMS };
  if (error.code !== LEGACY_URL_ELICITATION) return error;
  const message = "The connector asks for an elicitation first, in a way that needs a client of revision 2025-11-25";
  return { code: INTERNAL_ERROR, message, data: { upstreamCode: error.code } };
}

/** Whether a result says how long and by whom it may be kept, in a way that a client can follow (2026-07-28, Caching). */
function hasHints({ ttlMs, cacheScope }: JsonObject): boolean {
  return isTtl(ttlMs) && (cacheScope === "public" || cacheScope === "private");
}

/**
 * Before 2026-07-28 structured content was an object, and a legacy client refuses a whole result for anything else; the same is in its text (2026-07-28, Tools,
 * Structured Content).
 */
function withObjectOnly(result: JsonObject): JsonObject {
  const { structuredContent, ...rest } = result;
  return structuredContent === undefined || isJsonObject(structuredContent) ? result : rest;
}

function withoutHints({ ttlMs: _ttl, cacheScope: _scope, ...rest }: JsonObject): JsonObject {
  return rest;
}
