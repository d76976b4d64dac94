import { isJsonObject, type JsonValue } from "./json-rpc.js";

/** Deepest nesting the gateway reads or forwards (reliability.md, threat 6): `JSON.stringify` throws far beyond it. */
export const MAX_JSON_DEPTH = 64;

/** Whether `value` nests deeper than `limit` levels. Stops at the limit, so that hostile depth costs nothing. */
export function isDeeperThan(value: JsonValue | undefined, limit: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (limit === 0) return true;
  // Not `for … in`: it makes a string of every index of an array.
  const members: readonly (JsonValue | undefined)[] = isJsonObject(value) ? Object.values(value) : value;
  return members.some((member) => isDeeperThan(member, limit - 1));
}

/** As the most forgiving reader compares: Unicode's compatibility forms, lower case, and İ and ı as plain i. */
const fold = (key: string): string =>
  key.normalize("NFKC").toLowerCase().replaceAll("i\u0307", "i").replaceAll("\u0131", "i");

interface ReservedKeys {
  readonly exact: ReadonlySet<string>;
  readonly folded: ReadonlySet<string>;
}

const reserve = (...keys: readonly string[]): ReservedKeys => ({
  exact: new Set(keys),
  folded: new Set(keys.map(fold)),
});

const RESERVED_KEYS = reserve("jsonrpc", "id", "method", "params", "result", "error");
/** What decides where a message goes, or what it may do there. */
const RESERVED_PARAMS = reserve(
  "name",
  "uri",
  "arguments",
  "_meta",
  "cursor",
  "ref",
  "taskId",
  "inputResponses",
  "requestState",
);

/**
 * The first key that differs from a reserved one in case only, or `undefined`.
 *
 * A peer whose JSON reader ignores case would take `Name` for `name`: authorising one and forwarding both lets a call
 * through under another name (GHSA-4gph-2hhr-5mwg). Other letters that some reader folds to ASCII (U+017F, U+212A, U+0130, U+0131,
 * full-width forms) count too.
 *
 * An exact duplicate cannot be seen here and does no harm: `JSON.parse` keeps the last one, and the object it made is what
 * is checked, authorised, serialised again and forwarded. Never forward the bytes a client sent as they came.
 */
export function findCaseVariant(message: JsonValue): string | undefined {
  if (!isJsonObject(message)) return undefined;
  return variantIn(message, RESERVED_KEYS) ?? variantIn(message["params"], RESERVED_PARAMS);
}

function variantIn(value: JsonValue | undefined, reserved: ReservedKeys): string | undefined {
  if (!isJsonObject(value)) return undefined;
  return Object.keys(value).find((key) => !reserved.exact.has(key) && reserved.folded.has(fold(key)));
}
