import type { Headers } from "../caller.js";

const HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;
const ORIGIN = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;

/**
 * Why a request may come from a page of somebody else's that had its name resolved to this machine (Streamable HTTP,
 * Security). `Host` and `Origin` are checked each on its own: either alone can be the one that gives it away.
 * @returns `undefined` when both name this machine, or there is no `Origin` as with every client that is no browser
 */
export function foreignName({ host, origin }: Headers): string | undefined {
  if (typeof host !== "string" || !HOST.test(host)) return "Host does not name this machine";
  if (origin !== undefined && (typeof origin !== "string" || !ORIGIN.test(origin))) {
    return "Origin does not name this machine";
  }
  return undefined;
}
