import type { FixtureServerOptions } from "../fixture-server.js";
import type { ServedEra } from "../http/start-fixture-http.js";
import type { Flags } from "./flags.js";

/** The options of either server that the flags ask for. */
export function optionsOf(flags: Flags): FixtureServerOptions & { readonly era: ServedEra } {
  const { era, name, tools, delayMs, ttlMs, pageSize } = flags;
  return {
    era,
    extraTools: tools,
    delayMs,
    ...(name === undefined ? {} : { name }),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(pageSize === undefined ? {} : { pageSize }),
  };
}
