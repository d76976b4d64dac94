/** Names of MCP's HTTP headers, lower-case as Node and undici give them. */
export const HEADER = {
  protocolVersion: "mcp-protocol-version",
  method: "mcp-method",
  name: "mcp-name",
  sessionId: "mcp-session-id",
  lastEventId: "last-event-id",
  paramPrefix: "mcp-param-",
} as const;

const SENTINEL_START = "=?base64?";
const SENTINEL_END = "?=";
/** Visible ASCII, space and tab, with no space or tab at either end (RFC 9110, 5.5). */
const PLAIN = /^(?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The header value that carries `value` (2026-07-28, Streamable HTTP, Value Encoding). */
export function encodeHeaderValue(value: string): string {
  const looksEncoded = value.startsWith(SENTINEL_START) && value.endsWith(SENTINEL_END);
  if (PLAIN.test(value) && !looksEncoded) return value;
  return `${SENTINEL_START}${Buffer.from(value, "utf8").toString("base64")}${SENTINEL_END}`;
}

/** What a header value meant, or why it cannot be read. */
export type DecodedHeader =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly reason: string };

/**
 * Reads what {@link encodeHeaderValue} wrote. Never throws: a value with characters a header may not hold, or with broken
 * Base64 between exact markers, is refused. The markers are case-sensitive; anything else is taken literally.
 */
export function decodeHeaderValue(raw: string): DecodedHeader {
  const value = raw.replace(/^[ \t]+|[ \t]+$/g, "");
  if (!PLAIN.test(value)) return { ok: false, reason: "contains characters a header may not hold" };
  if (!value.startsWith(SENTINEL_START) || !value.endsWith(SENTINEL_END)) return { ok: true, value };
  if (value.length < SENTINEL_START.length + SENTINEL_END.length) return { ok: true, value };
  const encoded = value.slice(SENTINEL_START.length, -SENTINEL_END.length);
  if (!BASE64.test(encoded)) return { ok: false, reason: "is not valid Base64 between its markers" };
  const bytes = Buffer.from(encoded, "base64");
  const text = bytes.toString("utf8");
  if (!Buffer.from(text, "utf8").equals(bytes)) return { ok: false, reason: "is not UTF-8 once decoded" };
  return { ok: true, value: text };
}

/** Which `params` member `Mcp-Name` mirrors, per method; methods not listed carry no `Mcp-Name`. */
export const NAME_SOURCE: Readonly<Record<string, string>> = {
  "tools/call": "name",
  "prompts/get": "name",
  "resources/read": "uri",
};
