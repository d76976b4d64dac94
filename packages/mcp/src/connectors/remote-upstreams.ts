import { RemoteProxy } from "@cortex-os/mcp-bridge";
import type { Clock, Logger, Monotonic, RandomSource, Timers } from "@cortex-os/mcp-core";
import type { CreateUpstream } from "./upstream.js";

/** What every upstream works through. */
export interface RemoteUpstreamDeps {
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly logger: Logger;
  /** How we introduce ourselves to upstreams. */
  readonly clientInfo: { readonly name: string; readonly version: string };
}

/** Makes upstreams that are real: one `RemoteProxy` each, with sockets or a child process of its own. */
export function remoteUpstreams(deps: RemoteUpstreamDeps): CreateUpstream {
  return (spec, { onAvailability, onToolsChanged }) =>
    new RemoteProxy({ spec, ...deps, onAvailability, onToolsChanged });
}
