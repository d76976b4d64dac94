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
/** Anything but visible ASCII, space and tab (RFC 9110, 5.5). A plain search, so that no input makes it backtrack. */
const NOT_IN_A_HEADER = /[^\x20-\x7e\t]/;

const isBlank = (character: string | undefined): boolean => character === " " || character === "\t";

/** The header value that carries `value` (2026-07-28, Streamable HTTP, Value Encoding). Lone surrogates become U+FFFD. */
export function encodeHeaderValue(value: string): string {
  const plain = !NOT_IN_A_HEADER.test(value) && !isBlank(value[0]) && !isBlank(value.at(-1));
  const looksEncoded = value.startsWith(SENTINEL_START) && value.endsWith(SENTINEL_END);
  if (plain && !looksEncoded) return value;
  return `${SENTINEL_START}${Buffer.from(value, "utf8").toString("base64")}${SENTINEL_END}`;
}

/** What a header value meant, or why it cannot be read. */
export type DecodedHeader =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly reason: string };

/**
 * Reads what {@link encodeHeaderValue} wrote. Never throws: a value with characters a header may not hold, or with Base64 between
 * exact markers that no encoder writes, is refused. Spaces and tabs around the value are HTTP's, not the value's. The markers are
 * case-sensitive; anything else is taken literally.
 */
export function decodeHeaderValue(raw: string): DecodedHeader {
  const value = trimBlanks(raw);
  if (NOT_IN_A_HEADER.test(value)) return { ok: false, reason: "contains characters a header may not hold" };
  if (!value.startsWith(SENTINEL_START) || !value.endsWith(SENTINEL_END)) return { ok: true, value };
  if (value.length < SENTINEL_START.length + SENTINEL_END.length) return { ok: true, value };
  const encoded = value.slice(SENTINEL_START.length, -SENTINEL_END.length);
  const bytes = Buffer.from(encoded, "base64");
  if (bytes.toString("base64") !== encoded) return { ok: false, reason: "is not valid Base64 between its markers" };
  const text = bytes.toString("utf8");
  if (!Buffer.from(text, "utf8").equals(bytes)) return { ok: false, reason: "is not UTF-8 once decoded" };
  return { ok: true, value: text };
}

/** By hand: `/[ \t]+$/` takes quadratic time on a header full of inner spaces. */
function trimBlanks(raw: string): string {
  let start = 0;
  let end = raw.length;
  while (start < end && isBlank(raw[start])) start += 1;
  while (start < end && isBlank(raw[end - 1])) end -= 1;
  return raw.slice(start, end);
}

const nameSource: Record<string, string> = {
  "tools/call": "name",
  "prompts/get": "name",
  "resources/read": "uri",
  // The tasks extension (SEP-2663, Routing Headers): the server's own balancers find by it who holds the task.
  "tasks/get": "taskId",
  "tasks/update": "taskId",
  "tasks/cancel": "taskId",
};
// Looked up by what a client sent: a method called "constructor" must find nothing.
Object.setPrototypeOf(nameSource, null);

/** Which `params` member `Mcp-Name` mirrors, per method; methods not listed carry no `Mcp-Name`. Inherits nothing. */
export const NAME_SOURCE: Readonly<Record<string, string>> = nameSource;
