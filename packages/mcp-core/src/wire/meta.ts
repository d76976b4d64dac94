import { isJsonObject, type JsonObject, type JsonValue } from "./json-rpc.js";

/** Reserved `_meta` keys of revision 2026-07-28 (basic, `_meta`). */
export const META = {
  protocolVersion: "io.modelcontextprotocol/protocolVersion",
  clientInfo: "io.modelcontextprotocol/clientInfo",
  clientCapabilities: "io.modelcontextprotocol/clientCapabilities",
  logLevel: "io.modelcontextprotocol/logLevel",
  subscriptionId: "io.modelcontextprotocol/subscriptionId",
  serverInfo: "io.modelcontextprotocol/serverInfo",
} as const;

/** Per-request fields that exist in the modern era only: a legacy peer must not see them. */
const MODERN_ONLY: ReadonlySet<string> = new Set([
  META.protocolVersion,
  META.clientInfo,
  META.clientCapabilities,
  META.logLevel,
]);

/** `params._meta` when it is an object. */
export function metaOf(params: JsonObject | undefined): JsonObject | undefined {
  const meta = params?.["_meta"];
  return isJsonObject(meta) ? meta : undefined;
}

/** `params` with these `_meta` entries added or replaced; everything else as it was. */
export function withMeta(params: JsonObject | undefined, entries: Record<string, JsonValue>): JsonObject {
  return { ...params, _meta: { ...metaOf(params), ...entries } };
}

/** `params` as a legacy peer may see them: without the modern era's per-request fields, `_meta` gone when empty. */
export function withoutModernMeta(params: JsonObject | undefined): JsonObject {
  const meta = metaOf(params);
  if (params === undefined || meta === undefined) return params ?? {};
  const kept = Object.entries(meta).filter(([key]) => !MODERN_ONLY.has(key));
  const { _meta: _, ...rest } = params;
  return kept.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(kept) };
}

/** The caller's progress token, when it asked for progress. */
export function progressTokenOf(params: JsonObject | undefined): string | number | undefined {
  const token = metaOf(params)?.["progressToken"];
  return typeof token === "string" || typeof token === "number" ? token : undefined;
}
