import { isJsonObject, type JsonValue } from "./json-rpc.js";

/** Deepest nesting the gateway reads or forwards (reliability.md, threat 6): `JSON.stringify` throws far beyond it. */
export const MAX_JSON_DEPTH = 64;

/** Whether `value` nests deeper than `limit` levels. Stops at the limit, so that hostile depth costs nothing. */
export function isDeeperThan(value: JsonValue | undefined, limit: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (limit === 0) return true;
  for (const key in value) {
    if (isDeeperThan((value as Record<string, JsonValue>)[key], limit - 1)) return true;
  }
  return false;
}

const RESERVED_KEYS = ["jsonrpc", "id", "method", "params", "result", "error"] as const;
const RESERVED_PARAMS = ["name", "uri", "arguments", "_meta", "cursor"] as const;

/**
 * The first key that differs from a reserved one in case only, or `undefined`.
 *
 * A peer whose JSON reader ignores case would take `Name` for `name`: authorising one and forwarding both lets a call
 * through under another name (GHSA-4gph-2hhr-5mwg). Non-ASCII letters that fold to ASCII (U+017F, U+212A) count too.
 */
export function findCaseVariant(message: JsonValue): string | undefined {
  if (!isJsonObject(message)) return undefined;
  return variantIn(message, RESERVED_KEYS) ?? variantIn(message["params"], RESERVED_PARAMS);
}

function variantIn(value: JsonValue | undefined, reserved: readonly string[]): string | undefined {
  if (!isJsonObject(value)) return undefined;
  for (const key in value) {
    if (reserved.includes(key)) continue;
    if (reserved.includes(key.normalize("NFKC").toLowerCase())) return key;
  }
  return undefined;
}
