import { quoteUpstream } from "../upstream-text.js";

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
