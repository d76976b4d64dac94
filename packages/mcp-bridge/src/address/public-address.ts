import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** The part of IPv6 that is handed out for the public Internet (RFC 4291, 2.4): what is outside, known today or not, is not public. */
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];
/** Names that lead to this machine, whatever a resolver makes of them (RFC 6761, 6.3). */
const LOCAL_NAME = /^(?:.+\.)?localhost\.?$/i;
/** The services of a cloud's own host hand out credentials: names of theirs, and the top-level domain that is nobody's in public (`metadata.google.internal`). */
const HOST_SERVICE_NAME = /^(?:metadata|instance-data|metadata\.goog|(?:.+\.)?internal)\.?$/i;
/** Azure's host service (WireServer): unlike the other clouds' it sits at an address that looks like anybody's. */
const HOST_SERVICE_ADDRESS = "168.63.129.16";

/**
 * Whether an IP address, as a resolver gives it, belongs to the public Internet. Loopback, private, link-local, shared (CGNAT), documentation, benchmark, multicast
 * and reserved addresses do not, nor does the host service of a cloud, nor do those that hide an IPv4 address in an IPv6 one (NAT64, 6to4, Teredo…); an IPv4-mapped one is what it maps to.
 *
 * @returns `false` also for what is no IP address
 */
export function isPublicAddress(ip: string): boolean {
  if (isIP(ip) === 0) return false;
  const address = unmapped(ip);
  if (address instanceof ipaddr.IPv6 && !address.match(GLOBAL_UNICAST)) return false;
  if (address.toString() === HOST_SERVICE_ADDRESS) return false;
  return address.range() === "unicast";
}

/**
 * Whether the host of a parsed URL may be public: `false` for an address that is not and for the names of this machine and of its cloud's services, `true` for any other name. What such a name
 * leads to is known only when it is looked up; `publicOnlyLookup` asks then.
 *
 * @param hostname as `URL.hostname` gives it, so that `0x7f.1` and `2130706433` are `127.0.0.1` already
 */
export function mayBePublicHost(hostname: string): boolean {
  const ip = ipOf(hostname);
  return ip === undefined ? !LOCAL_NAME.test(hostname) && !HOST_SERVICE_NAME.test(hostname) : isPublicAddress(ip);
}

/** Whether the host of a parsed URL is this machine's loopback: such an address, or a name that must lead to one. */
export function isLoopbackHost(hostname: string): boolean {
  const ip = ipOf(hostname);
  return ip === undefined ? LOCAL_NAME.test(hostname) : unmapped(ip).range() === "loopback";
}

function ipOf(hostname: string): string | undefined {
  const bare = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return isIP(bare) === 0 ? undefined : bare;
}

function unmapped(ip: string): ipaddr.IPv4 | ipaddr.IPv6 {
  const address = ipaddr.parse(ip);
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}
