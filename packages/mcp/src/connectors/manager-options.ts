import type { Clock, Monotonic, NamePolicy, RandomSource, Timers } from "@cortex-os/mcp-core";
import type { KeyRing } from "@cortex-os/protocol";
import type { ConnectorAvailabilityGauge } from "../telemetry/availability-gauge.js";
import type { ConnectorSyncHistogram } from "../telemetry/sync-histogram.js";
import type { CallersLogger } from "./callers-logger.js";
import type { CreateConnectorProxy } from "./connector-proxy.js";
import type { FetchLike } from "./fetch-like.js";
import type { ServiceMapStore } from "./map/service-map-store.js";
import type { StartWidth } from "./start-width.js";
import type { ToolRegistry } from "./tool-registrar.js";

/** What a `ConnectorProxyManager` needs (R6); everything after `logger` is optional. */
export interface ConnectorProxyManagerOptions {
  /** Where the service map is published. */
  readonly serviceMapUrl: string;
  /** The publisher's API key. @default none is sent */
  readonly apiKey?: string | undefined;
  /** The HMAC key of the map's signature; not empty. */
  readonly signatureKey: string;
  /** The credential of connectors whose `auth` asks for one. It goes wherever the signed map says: `specsOfMap` with `origins` is stricter. */
  readonly connectorsApiKey: string;
  /** Where the tools go. */
  readonly registry: ToolRegistry;
  readonly logger: CallersLogger;
  /** Several keys at once; wins over `signatureKey`. */
  readonly keys?: KeyRing | undefined;
  /** Makes the proxies, instead of `RemoteProxy`: for tests. */
  readonly createProxy?: CreateConnectorProxy | undefined;
  /** Fetches the map, instead of undici's `fetch` through the shared agent. */
  readonly fetchImpl?: FetchLike | undefined;
  /** For one fetch of the map, in milliseconds. @default 5_000 */
  readonly timeoutMs?: number | undefined;
  /** How long a map is served after it expired, in milliseconds. @default 7 days */
  readonly maxStaleMs?: number | undefined;
  /** Whether a map that removes most connectors is held for confirmation. @default true */
  readonly holdRemovals?: boolean | undefined;
  /** Keeps accepted maps across restarts. @default nothing is written to disk */
  readonly store?: ServiceMapStore | undefined;
  /** How many connectors start at a time: a number, or "adaptive" for as many as is of use. @default 4 */
  readonly concurrency?: StartWidth | undefined;
  /** How tools are named. @default as the catalog does: `<connector>__<tool>` */
  readonly names?: Partial<NamePolicy> | undefined;
  /** Tells which connectors are up. @default the one in prom-client's global register */
  readonly gauge?: ConnectorAvailabilityGauge | undefined;
  /** Tells how long learning the tools of a connector took. @default the one in prom-client's global register */
  readonly syncHistogram?: ConnectorSyncHistogram | undefined;
  readonly clock?: Clock | undefined;
  readonly monotonic?: Monotonic | undefined;
  readonly timers?: Timers | undefined;
  readonly random?: RandomSource | undefined;
}
