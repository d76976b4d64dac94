import { lookup, type LookupAddress, type LookupOptions } from "node:dns";
import type { LookupFunction } from "node:net";
import { isPublicAddress } from "./public-address.js";

/** The `code` of the error that {@link publicOnlyLookup} fails with. */
export const NOT_PUBLIC = "ERR_ADDRESS_NOT_PUBLIC";

/** Looks a name up: all its addresses. `dns.lookup` is one. */
export type LookupAll = (
  hostname: string,
  options: LookupOptions & { readonly all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * A `lookup` for sockets that refuses a name as soon as one of its addresses is not public. The socket connects to what was checked here and looks nothing up
 * again, so that a name cannot lead elsewhere between check and use (DNS rebinding). Sockets do not ask it about addresses: check those with `mayBePublicHost`.
 *
 * @param lookupAll for tests that cannot have a resolver of their own
 */
export function publicOnlyLookup(lookupAll: LookupAll = lookup): LookupFunction {
  return (hostname, options, done) => {
    lookupAll(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined) done(error ?? notFound(), []);
      else if (!addresses.every(({ address }) => isPublicAddress(address))) done(notPublic(), []);
      else if (options.all === true) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };
}

const notPublic = (): NodeJS.ErrnoException =>
  Object.assign(new Error("the host name leads to an address that is not public"), { code: NOT_PUBLIC });

const notFound = (): NodeJS.ErrnoException =>
  Object.assign(new Error("the host name has no address"), { code: "ENOTFOUND" });
