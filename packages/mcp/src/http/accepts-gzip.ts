import type { IncomingHttpHeaders } from "node:http";

/** Names that proxies put on what they pass on: the client is somewhere else than the connection comes from. */
const PASSED_ON = ["x-forwarded-for", "forwarded", "via"] as const;

/** What is asked of a request here. */
interface Received {
  readonly socket: { readonly remoteAddress?: string | undefined };
  readonly headers: IncomingHttpHeaders;
}

/**
 * Whether the client is on another machine, as far as can be told. Within one machine bytes cost less than taking them out of a gzip file.
 */
export function isElsewhere({ socket, headers }: Received): boolean {
  const { remoteAddress } = socket;
  // The control socket has none.
  const isNear = remoteAddress === undefined || LOOPBACK.test(remoteAddress);
  return !isNear || PASSED_ON.some((name) => headers[name] !== undefined);
}

const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/i;

/** Whether an `Accept-Encoding` names gzip, and does not refuse it (RFC 9110, 12.5.3). */
export function acceptsGzip(accepted: string | string[] | undefined): boolean {
  if (accepted === undefined) return false;
  const named = String(accepted)
    .toLowerCase()
    .split(",")
    .map((coding) => coding.trim().split(";"))
    .find(([coding]) => coding?.trim() === "gzip");
  const weight = named?.find((parameter) => parameter.trim().startsWith("q="))?.trim();
  return named !== undefined && (weight === undefined || Number(weight.slice(2)) > 0);
}
