import { isLoopbackHost, mayBePublicHost } from "../address/public-address.js";

/** How a URL may be requested that an upstream, or somebody it trusts, named. */
export type UrlVerdict =
  | { readonly ok: true; readonly publicOnly: boolean }
  /** The middle of a sentence. */
  | { readonly ok: false; readonly reason: string };

/** Whom metadata and tokens are asked for. */
export interface TrustedPlaces {
  /** The upstream's own address. */
  readonly resource: URL;
  /** The authorization server that local configuration names. */
  readonly issuer?: URL;
}

/**
 * Whether a URL of the OAuth dance may be requested: https, or loopback for an upstream on loopback; and no address that is not public, unless it is
 * the upstream's own, or local configuration names it. Otherwise an upstream could have the gateway ask around in its network (SSRF).
 */
export function judgeUrl(url: URL, { resource, issuer }: TrustedPlaces): UrlVerdict {
  const isLocal = isLoopbackHost(resource.hostname);
  if (!isSafeScheme(url, isLocal)) return refused("is neither https nor on this machine");
  if (url.username !== "" || url.password !== "") return refused("holds a user name");
  const isNamed = url.origin === resource.origin || url.origin === issuer?.origin;
  if (isNamed || isLocal) return { ok: true, publicOnly: false };
  if (!mayBePublicHost(url.hostname)) return refused("leads to an address that is not public");
  return { ok: true, publicOnly: true };
}

/** Whether a browser may be sent there: nothing but https, or http on this machine when the upstream is on it too. Scripts and files are out of the question. */
export function judgeBrowserUrl(url: URL, { resource }: TrustedPlaces): boolean {
  return isSafeScheme(url, isLoopbackHost(resource.hostname));
}

function isSafeScheme(url: URL, isLocal: boolean): boolean {
  return url.protocol === "https:" || (url.protocol === "http:" && isLocal && isLoopbackHost(url.hostname));
}

const refused = (reason: string): UrlVerdict => ({ ok: false, reason });
