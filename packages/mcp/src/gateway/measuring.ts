import type { Monotonic, Clock } from "@cortex-os/mcp-core";
import { LIST_KINDS, LISTS } from "@cortex-os/mcp-core/wire";
import type { Catalog } from "../catalog/catalog.js";
import type { ConnectorDirectory } from "../connectors/connector-directory.js";
import type { ServiceMapFollower } from "../connectors/map/service-map-follower.js";
import type { GatewayMetrics } from "../telemetry/metrics.js";
import type { EndedRequest } from "./metered-sink.js";

/** What is measured, and where it goes. */
export interface MeasuringDeps {
  readonly directory: ConnectorDirectory;
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly metrics: GatewayMetrics;
}

/** Numbers that are cheaper to read than to keep. */
export interface MeasuredNow {
  readonly sessions: number;
  readonly listeners: number;
}

/** What of a service map's follower is measured. */
export type MeasuredFollower = Pick<ServiceMapFollower, "subscribe" | "status">;

const LIST_METHODS: ReadonlySet<string> = new Set(Object.values(LISTS).map(({ method }) => method));

/** Sees to it that the metrics tell what happens in a gateway (R15). */
export class Measuring {
  readonly #deps: MeasuringDeps;
  #catalogSinceMs: number;
  /** A connector whose entries are in the catalog is not up. */
  #connectorsAway = false;
  #serviceMap: MeasuredFollower | undefined;
  #forget: () => void = () => {};
  #mapIsStale = false;

  constructor(deps: MeasuringDeps) {
    this.#deps = deps;
    this.#catalogSinceMs = deps.monotonic.elapsedMs();
  }

  /** This is the service map from now on, or there is none. */
  follow(serviceMap: MeasuredFollower | undefined): void {
    this.#forget();
    this.#serviceMap = serviceMap;
    const look = (): void => {
      this.#mapIsStale = serviceMap?.status().state === "stale";
    };
    this.#forget = serviceMap?.subscribe(look) ?? (() => {});
    look();
  }

  /** Connectors came, went or changed, or the catalog did. */
  directoryChanged(): void {
    const { directory, metrics } = this.#deps;
    metrics.connectors(directory.living());
    this.#connectorsAway = directory.connectors.some(({ part, isUp }) => part !== undefined && !isUp);
  }

  /** Another catalog is in force. */
  catalogChanged(catalog: Catalog): void {
    this.#catalogSinceMs = this.#deps.monotonic.elapsedMs();
    const counts = Object.fromEntries(LIST_KINDS.map((kind) => [kind, catalog.size(kind)]));
    this.#deps.metrics.catalogChanged(counts);
  }

  /** A client's request ended. */
  ended(request: EndedRequest): void {
    const { metrics } = this.#deps;
    metrics.ended(request);
    if (request.outcome !== "answered") return;
    const { connector, scope, method } = request;
    if (connector !== undefined) {
      if (this.#mapIsStale && this.#isOfMap(connector)) metrics.staleServe({ kind: "call", reason: "map" });
    } else if (LIST_METHODS.has(method)) {
      const isAway = scope === undefined ? this.#connectorsAway : this.#deps.directory.find(scope)?.isUp !== true;
      if (isAway) metrics.staleServe({ kind: "list", reason: "connector" });
      if (this.#mapIsStale && (scope === undefined || this.#isOfMap(scope)))
        metrics.staleServe({ kind: "list", reason: "map" });
    }
  }

  /** Somebody is about to look. */
  now({ sessions, listeners }: MeasuredNow): void {
    const { directory, clock, monotonic, metrics } = this.#deps;
    metrics.sessions(sessions);
    metrics.listeners(listeners);
    metrics.catalogAge((monotonic.elapsedMs() - this.#catalogSinceMs) / 1_000);
    const nowMs = clock.now();
    metrics.listAges(
      new Map(
        directory.connectors.flatMap(({ key, listedMs }) =>
          listedMs === undefined ? [] : [[key, Math.max(0, nowMs - listedMs) / 1_000] as const],
        ),
      ),
    );
    metrics.serviceMap(this.#serviceMap?.status());
  }

  #isOfMap(connector: string): boolean {
    return this.#deps.directory.find(connector)?.spec.source === "map";
  }
}
