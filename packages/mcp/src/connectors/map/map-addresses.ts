import { isLoopbackHost, mayBePublicHost } from "@cortex-os/mcp-bridge";

/** Which origins a service map's connectors may have, beyond public https ones (design.md, contracts: Credentials and addresses). */
export interface AddressRules {
  /** The origin that the map itself comes from. */
  readonly mapOrigin: string;
  /** Origins that may be plain http or not public. @default those of loopback when the map itself comes from there, else none */
  readonly allowedOrigins?: readonly string[] | undefined;
}

/** What becomes of a connector's address. */
export type AddressVerdict =
  | { readonly ok: true; readonly publicOnly: boolean }
  | { readonly ok: false; readonly reason: string };

/** Judges an address that came over HTTP. The reasons show no more of it than its origin. */
export function judgeAddress(url: URL, { mapOrigin, allowedOrigins }: AddressRules): AddressVerdict {
  if (url.username !== "" || url.password !== "")
    return refused(
      "its endpoint holds a user or a password, which a service map may not give; publish it without them",
    );
  const allowed =
    allowedOrigins === undefined
      ? isLoopbackOrigin(mapOrigin) && isLoopbackHost(url.hostname)
      : isAmong(url.origin, allowedOrigins);
  if (allowed) return { ok: true, publicOnly: false };
  const remedy = `add ${url.origin} to serviceMap.allowedOrigins if it is meant`;
  if (!mayBePublicHost(url.hostname)) return refused(`its address ${url.host} is not public; ${remedy}`);
  if (url.protocol === "http:") return refused(`its address is plain http; publish it with https, or ${remedy}`);
  return { ok: true, publicOnly: true };
}

/** Whether an origin is one of a list that people wrote: how they spell an origin does not matter. */
export const isAmong = (origin: string, origins: readonly string[]): boolean =>
  origins.some((one) => originOf(one) === origin);

const originOf = (text: string): string => (URL.canParse(text) ? new URL(text).origin : text);

const isLoopbackOrigin = (origin: string): boolean => URL.canParse(origin) && isLoopbackHost(new URL(origin).hostname);

const refused = (reason: string): AddressVerdict => ({ ok: false, reason });
