import type { JsonObject, JsonRpcErrorObject, JsonValue } from "./json-rpc.js";
import { META, withMeta, withoutModernMeta } from "./meta.js";
import type { Era } from "./revisions.js";

/** Who calls, as far as an upstream may know it. */
export interface CallerIdentity {
  readonly era: Era;
  /** The revision the client speaks. */
  readonly revision: string;
  /** The client's own `clientInfo`, as it sent it. */
  readonly clientInfo?: JsonObject;
}

/**
 * A request's params in the era of the upstream.
 *
 * Same era: the object itself. Legacy client, modern upstream: the per-request metadata is added; the client's capabilities are
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
  return withMeta(params, entries);
}

/** A result in the era of the client, or the error it becomes. */
export type ConvertedResult =
  | { readonly ok: true; readonly result: JsonObject }
  | { readonly ok: false; readonly error: JsonRpcErrorObject };

/**
 * An upstream's result in the era of the client. A modern client is owed a `resultType`; a legacy one has never heard of it, and
 * cannot be asked for input in the modern way: that is refused with an error that says so.
 */
export function resultForClient(result: JsonObject, upstream: Era, client: Era): ConvertedResult {
  if (upstream === client) return { ok: true, result };
  if (client === "modern") {
    return { ok: true, result: result["resultType"] === undefined ? { resultType: "complete", ...result } : result };
  }
  const { resultType, ...rest } = result;
  if (resultType === undefined || resultType === "complete") return { ok: true, result: rest };
  const message =
    resultType === "input_required"
      ? "The connector asks for input in a way that needs a client of revision 2026-07-28 or later"
      : `The connector answered with a result of type ${JSON.stringify(resultType)}, which this client's revision cannot carry`;
  return { ok: false, error: { code: -32_603, message } };
}
