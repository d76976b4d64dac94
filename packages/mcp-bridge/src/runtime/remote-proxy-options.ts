import {
  branded,
  DEFAULT_TIMEOUTS,
  systemClock,
  systemMonotonic,
  systemRandom,
  systemTimers,
  type Clock,
  type ConnectorSpec,
  type Logger,
  type Monotonic,
  type RandomSource,
  type Timers,
} from "@cortex-os/mcp-core";
import type { JsonObject, JsonRpcNotification, ServerFeature } from "@cortex-os/mcp-core/wire";
import type { Dispatcher } from "undici";
import type { AskedQuestion, UpstreamQuestion } from "../asking/question.js";
import { ByteBudget } from "../byte-budget.js";
import type { UpstreamAuthorization } from "../http/upstream-authorization.js";
import { GATEWAY_INFO, type UpstreamFacts } from "../link.js";

/** Most bytes that unfinished answers of one upstream hold together: two of the longest there may be. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;

/** What a `RemoteProxy` works through, and whom it tells. */
export interface RemoteProxyPorts {
  readonly logger: Logger;
  /** Used for all HTTP exchanges and left open on dispose: its owner closes it. @default sockets of the proxy's own */
  readonly agent?: Dispatcher;
  readonly clock?: Clock;
  readonly monotonic?: Monotonic;
  readonly timers?: Timers;
  readonly random?: RandomSource;
  /** What unfinished answers of all upstreams together may hold; beside it each upstream has a bound of its own, of 64 MiB. @default no bound */
  readonly budget?: ByteBudget;
  /** How the gateway introduces itself. @default `{name: "cortex-mcp", …}` */
  readonly clientInfo?: JsonObject;
  /** What authorises the requests over HTTP; not asked when headers hold `authorization`. @default a 401 makes the connector down */
  readonly authorization?: UpstreamAuthorization;
  /** What was learned last time, as `facts` gave it: saves a request, and is verified. */
  readonly prior?: UpstreamFacts;
  /**
   * After how long without a request a child process is stopped, in milliseconds, to be started again by the next one; between that and a quarter more. 0 is never.
   * @default 0
   */
  readonly idleMs?: number;
  /** Whether it begins asleep, as after `idleMs`: for one of which `prior` tells enough. @default false */
  readonly asleep?: boolean;
  /** Its tools as listed in an earlier life of the process: until they are listed again, calls mirror into headers what these ask for. */
  readonly known?: readonly JsonObject[];
  /**
   * Hears of every change, the first failure included; on `true`, ask for the lists again. `reason` says why it is down, in
   * words for anybody; `detail` is for operators only (an upstream's stderr may name paths and keys).
   */
  readonly onAvailability?: (up: boolean, reason?: string, detail?: string) => void;
  /** The lists of this feature changed, or may have changed unseen, while it is up. */
  readonly onListChanged?: (feature: ServerFeature) => void;
  /** What it tells outside of any request and that is no change of a list; see `LinkEvents`. */
  readonly onNotification?: (notification: JsonRpcNotification, sessionKey?: string) => void;
  /** Puts a question of the upstream's to the client of a session; see `LinkEvents`. @default there is no way to any client */
  readonly onQuestion?: (sessionKey: string, question: UpstreamQuestion) => AskedQuestion | undefined;
  /** From now on each client session has a process of its own; see `LinkEvents`. */
  readonly onIsolated?: () => void;
  /** Its process was stopped after `idleMs`. It counts as up: what is asked of it starts it, and `onAvailability` tells how that went. */
  readonly onAsleep?: () => void;
}

/** Either a whole connector, or (as the plan has it, R8) the address of one over HTTP. */
export type RemoteProxyOptions = RemoteProxyPorts &
  (
    | { readonly spec: ConnectorSpec }
    | {
        readonly connectorId: string;
        readonly url: string;
        /** Sent with every request; values are secrets. */
        readonly headers?: Readonly<Record<string, string>>;
      }
  );

/** Options of `RemoteProxy.callTool`. */
export interface CallToolOptions {
  readonly signal?: AbortSignal;
  /** @default the connector's `callMs` */
  readonly timeoutMs?: number;
}

/** {@link RemoteProxyOptions} with nothing left open. */
export interface ResolvedOptions extends Required<Omit<RemoteProxyPorts, "agent" | "authorization" | "prior">> {
  readonly spec: ConnectorSpec;
  readonly agent?: Dispatcher;
  readonly authorization?: UpstreamAuthorization;
  readonly prior?: UpstreamFacts;
}

/** Fills in the defaults; the ports' are the machine's own. */
export function resolveOptions(options: RemoteProxyOptions): ResolvedOptions {
  const { agent, prior } = options;
  return {
    spec: "spec" in options ? options.spec : specOf(options),
    logger: branded(options.logger),
    clock: options.clock ?? systemClock,
    monotonic: options.monotonic ?? systemMonotonic,
    timers: options.timers ?? systemTimers,
    random: options.random ?? systemRandom,
    budget: new ByteBudget(MAX_HELD_BYTES, options.budget),
    clientInfo: options.clientInfo ?? GATEWAY_INFO,
    onAvailability: options.onAvailability ?? (() => {}),
    onListChanged: options.onListChanged ?? (() => {}),
    onNotification: options.onNotification ?? (() => {}),
    onQuestion: options.onQuestion ?? (() => undefined),
    onIsolated: options.onIsolated ?? (() => {}),
    onAsleep: options.onAsleep ?? (() => {}),
    idleMs: options.idleMs ?? 0,
    asleep: options.asleep ?? false,
    known: options.known ?? [],
    ...(agent === undefined ? {} : { agent }),
    ...(options.authorization === undefined ? {} : { authorization: options.authorization }),
    ...(prior === undefined ? {} : { prior }),
  };
}

function specOf(short: {
  readonly connectorId: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}): ConnectorSpec {
  return {
    key: short.connectorId,
    source: "map",
    transport: { kind: "http", url: short.url, headers: short.headers ?? {} },
    disabled: false,
    timeouts: DEFAULT_TIMEOUTS,
    isolation: "shared",
  };
}
