import type { FixtureServerOptions } from "../fixture-server-options.js";
import type { ServedEra } from "../http/start-fixture-http.js";
import type { Flags } from "./flags.js";

/** The options of either server that the flags ask for. */
export function optionsOf(flags: Flags): FixtureServerOptions & { readonly era: ServedEra } {
  const { era, name, tools, resources, commonResources, features, delayMs, listDelayMs, ttlMs, pageSize, revision } =
    flags;
  const { conformance, invalidHeaders } = flags;
  return {
    era,
    features,
    extraTools: tools,
    extraResources: resources,
    commonResources,
    delayMs,
    listDelayMs,
    conformance,
    invalidHeaders,
    ...(revision === undefined ? {} : { revision }),
    ...(name === undefined ? {} : { name }),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(pageSize === undefined ? {} : { pageSize }),
  };
}
