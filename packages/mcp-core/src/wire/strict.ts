import { isJsonObject, type JsonValue } from "./json-rpc.js";

/** Deepest nesting the gateway reads or forwards (reliability.md, threat 6): `JSON.stringify` throws far beyond it. */
export const MAX_JSON_DEPTH = 64;

/** Whether `value` nests deeper than `limit` levels. Stops at the limit, so that hostile depth costs nothing. */
export function isDeeperThan(value: JsonValue | undefined, limit: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (limit === 0) return true;
  if (!isJsonObject(value)) return value.some((member) => isDeeperThan(member, limit - 1));
  // Not `Object.values`: on an object with very many keys it takes twice as long.
  return Object.keys(value).some((key) => isDeeperThan(value[key], limit - 1));
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** `{` and `[`, `}` and `]` differ in one bit, which this sets. */
const CURLY = 0x20;
const OPENING = 0x7b;
const CLOSING = 0x7d;

/**
 * The same of JSON in UTF-8 that was read without an error, a member that a duplicate key hides included. One pass over the bytes: a
 * hundred thousand keys cost no more than one long string.
 */
export function isTextDeeperThan(json: Uint8Array, limit: number): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at] ?? 0;
    if (byte === QUOTE) {
      at = endOfString(json, at + 1);
    } else if ((byte | CURLY) === OPENING) {
      depth += 1;
      if (depth > limit) return true;
    } else if ((byte | CURLY) === CLOSING) {
      depth -= 1;
    }
  }
  return false;
}

/** @returns where the string that begins at `from` has its closing quote */
function endOfString(json: Uint8Array, from: number): number {
  let at = from;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
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
 * No longer key folds to a reserved one: the longest has 14 letters, and a letter comes from two UTF-16 units at most, an i from three.
 */
const LONGEST_VARIANT = 32;
/** Folding leaves such a key as it is. */
const PLAIN = /^[\0-@[-\x7f]*$/;

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
  return Object.keys(value).find((key) => isVariant(key, reserved));
}

/** Folding one long key can take a tenth of a second, so only what could be a variant is folded. */
function isVariant(key: string, { exact, folded }: ReservedKeys): boolean {
  if (key.length > LONGEST_VARIANT || exact.has(key)) return false;
  return folded.has(PLAIN.test(key) ? key : fold(key));
}
