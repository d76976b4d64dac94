import { quoteUpstream } from "../upstream-text.js";

/** Longest endpoint, in characters: it is sent again with every message. */
const MAX_LENGTH = 8_192;

/** Where messages go, or why they cannot go there. */
export type Endpoint =
  | { readonly ok: true; readonly path: string }
  /** The middle of a sentence about the upstream. */
  | { readonly ok: false; readonly reason: string };

/**
 * Reads the `endpoint` event of HTTP+SSE (2024-11-05, transports): a URI, absolute or relative to the address of the stream.
 *
 * Only its path and query are taken, and only if its origin is that of the address: every message carries the connector's credentials, and nothing that
 * came over HTTP says which host those go to (design.md, decision 10).
 */
export function endpointOf(address: string, uri: string): Endpoint {
  if (uri.length > MAX_LENGTH)
    return { ok: false, reason: `names an address for messages of more than ${MAX_LENGTH} characters` };
  if (!URL.canParse(uri, address))
    return { ok: false, reason: `names no usable address for messages ${quoteUpstream(uri)}` };
  const { origin, pathname, search } = new URL(uri, address);
  if (origin === new URL(address).origin) return { ok: true, path: pathname + search };
  const named = quoteUpstream(origin);
  return {
    ok: false,
    reason: `wants messages sent to another origin than its own ${named}, which would give its credentials away; configure an address of that origin if it is meant`,
  };
}
