import { createHash } from "node:crypto";
import type { KeyRing, KeyRingRule } from "./key-ring.js";
import { MAX_CLOCK_SKEW_MS, MAX_SERVICE_MAP_BYTES, MAX_TTL_SECONDS } from "./limits.js";
import { placeOf, quotedName, shortened } from "./place.js";
import { problemsOfServiceMap } from "./schema.js";
import type { ServiceMapPayload } from "./service-map-payload.js";
import { signedText } from "./signature.js";
import { parseStrictJson } from "./strict-json.js";

/** The rule that a refused map broke. `older` and `conflict` are `againstFloor`'s. */
export type ServiceMapRule =
  | "size"
  | "encoding"
  | "json"
  | KeyRingRule
  | "schema"
  | "ttl"
  | "future"
  | "expired"
  | "older"
  | "conflict";

/** A map that was checked; only {@link readServiceMap} makes one. */
export interface VerifiedServiceMap {
  /** The document as it came, to the last member. */
  readonly payload: ServiceMapPayload;
  /** Milliseconds since the epoch. */
  readonly generatedAtMs: number;
  /** `generatedAt` and the time to live, in milliseconds since the epoch: at this moment it has expired. */
  readonly expiresAtMs: number;
  /** SHA-256 in hex of what the signature covers. */
  readonly digest: string;
  /** The key's that verified it, when it has one. */
  readonly kid?: string;
}

/** What {@link readServiceMap} says. */
export type ServiceMapReading = { readonly ok: true; readonly map: VerifiedServiceMap } | RefusedServiceMap;

/** A map that must not be used, and why. */
export interface RefusedServiceMap {
  readonly ok: false;
  readonly rule: ServiceMapRule;
  /**
   * Fit for clients, and without any value of the map. Up to the rule `signature` nobody has vouched for the sender: no word of it is in here then, only
   * positions. Later it may name members, in at most 300 characters.
   */
  readonly reason: string;
  /** For operators only: the sender's names (a `kid`, a member), escaped, in at most 200 characters. */
  readonly detail?: string;
}

/** How {@link readServiceMap} judges. */
export interface ReadServiceMapOptions {
  readonly keys: KeyRing;
  /** Now, in milliseconds since the epoch. */
  readonly nowMs: number;
  /** For a map from our own disk, which may be served stale. @default false */
  readonly allowExpired?: boolean;
  /** For a map from our own disk, when the clock was set back since. @default false */
  readonly allowFuture?: boolean;
}

/**
 * Judges a service map as it was received (R2; reliability.md, 5.2). Never throws.
 *
 * In this order, so that nothing is looked at before what comes first vouches for it: size, UTF-8, JSON that has one meaning, signature
 * over the canonical form, schema, time to live, not from the future, not expired. A rollback is the caller's to see (`againstFloor`).
 */
export function readServiceMap(body: Uint8Array | string, options: ReadServiceMapOptions): ServiceMapReading {
  const size = typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
  if (size > MAX_SERVICE_MAP_BYTES) return refused("size", `is larger than ${MAX_SERVICE_MAP_BYTES} bytes`);
  const text = typeof body === "string" ? body : decodedText(body);
  if (text === undefined || !text.isWellFormed()) return refused("encoding", "is not UTF-8");
  if (text.startsWith("\u{feff}"))
    return refused("encoding", "begins with a byte order mark, which JSON does not allow");
  const json = parseStrictJson(text);
  if (!json.ok) return refused(json.rule, json.reason, json.detail);
  if (!isObject(json.value)) return refused("json", "is not a JSON object");
  return readDocument(json.value, options);
}

function readDocument(document: object, options: ReadServiceMapOptions): ServiceMapReading {
  const { keys } = options;
  const unsigned = keys.refusal(document);
  if (unsigned !== undefined) return signatureRefusal(unsigned, document, keys);
  const covered = signedText(document);
  const verdict = keys.verify(document, covered);
  if (!verdict.ok) return signatureRefusal(verdict.rule, document, keys);
  const problems = problemsOfServiceMap(document);
  if (!isServiceMap(document, problems)) return refused("schema", schemaReason(problems));
  const generatedAtMs = Date.parse(document.generatedAt);
  const expiresAtMs = generatedAtMs + document.ttlSeconds * 1_000;
  const late = timeRefusal(document, { generatedAtMs, expiresAtMs, ...options });
  if (late !== undefined) return late;
  const digest = createHash("sha256").update(covered).digest("hex");
  const kid = verdict.kid === undefined ? {} : { kid: verdict.kid };
  return { ok: true, map: { payload: document, generatedAtMs, expiresAtMs, digest, ...kid } };
}

interface Times extends ReadServiceMapOptions {
  readonly generatedAtMs: number;
  readonly expiresAtMs: number;
}

function timeRefusal({ ttlSeconds }: ServiceMapPayload, times: Times): ServiceMapReading | undefined {
  const { generatedAtMs, expiresAtMs, nowMs, allowExpired = false, allowFuture = false } = times;
  if (ttlSeconds > MAX_TTL_SECONDS) return refused("ttl", `ttlSeconds: must be at most ${MAX_TTL_SECONDS} (a day)`);
  if (!allowFuture && generatedAtMs > nowMs + MAX_CLOCK_SKEW_MS) {
    const ahead = Math.ceil((generatedAtMs - nowMs) / 1_000);
    return refused("future", `generatedAt: is ${ahead} s ahead of this machine's clock; compare the two clocks`);
  }
  if (!allowExpired && nowMs >= expiresAtMs) {
    const ago = Math.floor((nowMs - expiresAtMs) / 1_000);
    return refused("expired", `expired ${ago} s ago; the publisher must sign it anew`);
  }
  return undefined;
}

const refused = (rule: ServiceMapRule, reason: string, detail?: string): RefusedServiceMap => ({
  ok: false,
  rule,
  reason,
  ...(detail === undefined ? {} : { detail }),
});

/** A byte order mark is kept, to be refused: two readers would differ about it. */
function decodedText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isServiceMap = (_document: object, problems: readonly unknown[]): _document is ServiceMapPayload =>
  problems.length === 0;

function signatureRefusal(rule: KeyRingRule, document: object, keys: KeyRing): RefusedServiceMap {
  switch (rule) {
    case "unsigned":
      return refused(rule, "signature: is missing; only signed maps are used");
    case "unknown-key": {
      const kid = "kid" in document ? document.kid : undefined;
      const ring = `the key ring (${keys.size} ${keys.size === 1 ? "key" : "keys"})`;
      if (typeof kid === "string") return refused(rule, `kid: names a key that is not in ${ring}`, quotedName(kid));
      return refused(rule, kid === undefined ? `names no kid, and ${ring} holds no HMAC key` : "kid: must be a string");
    }
    case "signature":
      return refused(rule, "signature: does not match; the map was changed, or signed with another key");
  }
}

const SHOWN_PROBLEMS = 3;
const LONGEST_REASON = 300;

function schemaReason(problems: ReturnType<typeof problemsOfServiceMap>): string {
  const shown = problems.slice(0, SHOWN_PROBLEMS).map(({ place, message }) => `${placeOf(place)}: ${message}`);
  const more = problems.length - shown.length;
  const rest = more > 0 ? `; and ${more} more` : "";
  return `${shortened(shown.join("; "), LONGEST_REASON - rest.length)}${rest}`;
}
