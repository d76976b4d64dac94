import { isIPv4, isIPv6 } from "node:net";

/** Whether `host` can only be reached from this machine: `localhost`, 127.0.0.0/8 or `::1`. */
export function isLoopbackHost(host: string): boolean {
  if (host === "localhost") return true;
  if (isIPv4(host)) return host.startsWith("127.");
  return isIPv6(host) && /^(?:0*:)*:?0*1$/.test(host);
}
