import { createHash } from "node:crypto";
import { isJsonObject, META, metaOf, type JsonObject, type JsonValue } from "@cortex-os/mcp-core/wire";

/**
 * Members of `_meta` that say who asks, or how the asking is followed, and never what the answer is (2026-07-28, basic, `_meta`; SEP-414). `baggage` is none of
 * them: applications put into it what they like, a tenant for example.
 */
const NEUTRAL: ReadonlySet<string> = new Set([
  "progressToken",
  META.clientInfo,
  META.logLevel,
  "traceparent",
  "tracestate",
]);

/**
 * What identifies a read among all that could be asked of one upstream (2026-07-28, Caching, Cache Key): its parameters as the upstream sees them, the order of
 * their members aside, and of `_meta` whatever may change the answer: the revision, the client's capabilities, and all that nobody here knows.
 *
 * @returns `undefined` for what may not be kept: it names no resource, or its answer depends on input that was asked for before
 */
export function requestDigest(params: JsonObject): string | undefined {
  const { _meta: _, ...rest } = params;
  if (typeof rest["uri"] !== "string") return undefined;
  if (rest["inputResponses"] !== undefined || rest["requestState"] !== undefined) return undefined;
  const meta = Object.entries(metaOf(params) ?? {}).filter(([key]) => !NEUTRAL.has(key));
  return createHash("sha256")
    .update(canonicalText(rest))
    .update(canonicalText(Object.fromEntries(meta)))
    .digest("base64");
}

/** JSON with the members of each object in one order: equal for equal values, and for no others. */
function canonicalText(value: JsonValue): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (!isJsonObject(value)) return `[${value.map(canonicalText).join(",")}]`;
  const members = Object.keys(value)
    .toSorted()
    .flatMap((key) => {
      const member = value[key];
      return member === undefined ? [] : [`${JSON.stringify(key)}:${canonicalText(member)}`];
    });
  return `{${members.join(",")}}`;
}
