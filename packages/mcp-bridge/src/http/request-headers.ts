import { encodeHeaderValue, HEADER, NAME_SOURCE, type JsonObject } from "@cortex-os/mcp-core/wire";

/** Headers that belong to HTTP itself: nobody but the HTTP client sets them. */
const OF_HTTP: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
]);
/** Headers that belong to MCP, beside `mcp-*`: a connector's configuration never sets them (design.md, contracts). */
const OF_MCP: ReadonlySet<string> = new Set(["accept", "content-type", "last-event-id"]);
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** The characters a header value may hold (RFC 9110, 5.5). */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Headers as undici takes them fastest: names and values in turn. */
export type FlatHeaders = readonly string[];

/** What a connector's configured headers come to. Names may be shown, values may not. */
export interface ConfiguredHeaders {
  readonly headers: FlatHeaders;
  /** Names that were left out because HTTP or MCP sets them. */
  readonly reserved: readonly string[];
  /** Names of headers that cannot be sent: the name or the value holds characters HTTP does not allow. */
  readonly invalid: readonly string[];
}

/** Whether a header belongs to HTTP or to MCP, so that no connector's configuration may set it: `Host`, `Accept`, `Mcp-*`, what is hop-by-hop… */
export function isReservedHeader(name: string): boolean {
  const key = name.toLowerCase();
  return OF_HTTP.has(key) || OF_MCP.has(key) || key.startsWith("mcp-");
}

/** Whether HTTP can carry a header of that name at all (RFC 9110, 5.1). */
export const isHeaderName = (name: string): boolean => TOKEN.test(name);

/**
 * Sorts out the headers that a connector's configuration adds to every request. User name and password of the URL become
 * `authorization` unless the configuration has one.
 */
export function configuredHeaders(configured: Readonly<Record<string, string>>, url: URL): ConfiguredHeaders {
  const headers: string[] = [];
  const reserved: string[] = [];
  const invalid: string[] = [];
  let authorised = false;
  for (const [name, value] of Object.entries(configured)) {
    const key = name.toLowerCase();
    if (isReservedHeader(key)) reserved.push(name);
    else if (!isHeaderName(name) || !VALUE.test(value)) invalid.push(name);
    else headers.push(key, value);
    authorised ||= key === "authorization";
  }
  if (!authorised && url.username !== "") {
    const pair = `${percentDecoded(url.username)}:${percentDecoded(url.password)}`;
    headers.push("authorization", `Basic ${Buffer.from(pair, "utf8").toString("base64")}`);
  }
  return { headers, reserved, invalid };
}

/** The headers of a raw exchange: everything but those that belong to HTTP itself. */
export function rawHeaders(given: Readonly<Record<string, string>>): FlatHeaders {
  return Object.entries(given).flatMap(([name, value]) =>
    OF_HTTP.has(name.toLowerCase()) ? [] : [name.toLowerCase(), value],
  );
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What every POST of a JSON-RPC message carries (2026-07-28, Streamable HTTP, Sending Messages). */
export const POST_HEADERS: FlatHeaders = [
  "content-type",
  "application/json",
  "accept",
  "application/json, text/event-stream",
];

/** What a request for a legacy event stream carries. */
export const STREAM_HEADERS: FlatHeaders = ["accept", "text/event-stream"];

/**
 * The headers that mirror a modern request's body (2026-07-28, Streamable HTTP, Request Metadata).
 *
 * @param paramHeaders `mcp-param-*` headers, names in lower case; anything else among them is left out
 */
export function modernHeaders(
  revision: string,
  method: string,
  params: JsonObject | undefined,
  paramHeaders?: Readonly<Record<string, string>>,
): string[] {
  const headers: string[] = [];
  addModernHeaders(headers, revision, method, params, paramHeaders);
  return headers;
}

/** {@link POST_HEADERS} with {@link modernHeaders}: all that the POST of a modern request carries. */
export function modernPostHeaders(
  revision: string,
  method: string,
  params: JsonObject | undefined,
  paramHeaders?: Readonly<Record<string, string>>,
): string[] {
  const headers = POST_HEADERS.slice();
  addModernHeaders(headers, revision, method, params, paramHeaders);
  return headers;
}

function addModernHeaders(
  headers: string[],
  revision: string,
  method: string,
  params: JsonObject | undefined,
  paramHeaders: Readonly<Record<string, string>> | undefined,
): void {
  const source = NAME_SOURCE[method];
  // What has a source is a method that we know, and fit for a header as it is.
  headers.push(HEADER.protocolVersion, revision, HEADER.method);
  headers.push(source === undefined ? encodeHeaderValue(method) : method);
  const name = source === undefined ? undefined : params?.[source];
  if (typeof name === "string") headers.push(HEADER.name, encodeHeaderValue(name));
  if (paramHeaders !== undefined) {
    for (const header in paramHeaders) {
      const value = paramHeaders[header];
      if (value !== undefined && header.startsWith(HEADER.paramPrefix)) headers.push(header, value);
    }
  }
}

/** The headers of a legacy request after `initialize` (2025-11-25, transports). */
export function legacyHeaders(session: { readonly id?: string; readonly revision: string }): string[] {
  const headers = [HEADER.protocolVersion, session.revision];
  if (session.id !== undefined) headers.push(HEADER.sessionId, session.id);
  return headers;
}
