import { ByteBudget, RemoteProxy, type UpstreamAuthorization } from "@cortex-os/mcp-bridge";
import type {
  ChildrenPolicy,
  Clock,
  ConnectorSpec,
  Logger,
  Monotonic,
  RandomSource,
  Timers,
} from "@cortex-os/mcp-core";
import type { Dispatcher } from "undici";
import { childrenOf } from "./children-policy.js";
import type { CreateUpstream } from "./upstream.js";

/** What every upstream works through. */
export interface RemoteUpstreamDeps {
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly logger: Logger;
  /** Used for all HTTP exchanges of all upstreams; its owner closes it. @default sockets of each upstream's own */
  readonly agent?: Dispatcher;
  /** How we introduce ourselves to upstreams. @default as the bridge does by itself */
  readonly clientInfo?: { readonly name: string; readonly version: string };
  /** What authorises the requests to an upstream over HTTP beside its headers. @default nothing */
  readonly authorize?: Authorize | undefined;
  /** How child processes live. @default as `DEFAULT_CHILDREN` says */
  readonly children?: ChildrenPolicy;
}

/** Makes what authorises the requests to one connector; `undefined` when nothing does. */
export type Authorize = (spec: ConnectorSpec) => UpstreamAuthorization | undefined;

/** What unfinished answers of all upstreams together may hold, in bytes: a quarter of a small machine's memory. */
const HELD_BYTES = 256 * 1024 * 1024;

/** Makes upstreams that are real: one `RemoteProxy` each, with sockets or a child process of its own. */
export function remoteUpstreams(deps: RemoteUpstreamDeps): CreateUpstream {
  const budget = new ByteBudget(HELD_BYTES);
  const { authorize, children, ...ports } = deps;
  return (spec, events, earlier) => {
    const learned = earlier === undefined ? {} : { prior: earlier.facts, known: earlier.tools, asleep: earlier.asleep };
    const authorization = authorize?.(spec);
    const idleMs = childrenOf(spec, children)?.idleMs ?? 0;
    return new RemoteProxy({
      ...{ spec, ...ports, budget, ...events, ...learned, idleMs },
      ...(authorization === undefined ? {} : { authorization }),
    });
  };
}
