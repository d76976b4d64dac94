import {
  DEFAULT_NAME_POLICY,
  GatewayError,
  systemClock,
  systemMonotonic,
  systemRandom,
  systemTimers,
  type ConnectorSpec,
  type Logger,
  type Timers,
} from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { connectorsOf, KeyRing, type ConnectorEntry, type ServiceMapPayload } from "@cortex-os/protocol";
import { Agent } from "undici";
import type { CatalogPart, CatalogTool } from "../catalog/catalog-part.js";
import { globalAvailabilityGauge } from "../telemetry/availability-gauge.js";
import { AvailabilityShare } from "../telemetry/availability-share.js";
import { globalSyncHistogram, observeConnectorSync } from "../telemetry/sync-histogram.js";
import { brandedLogger } from "./callers-logger.js";
import { ConnectorManifestError } from "./connector-manifest-error.js";
import { parseConnectorFeatureFlags } from "./feature-flags.js";
import type { ConnectorProxyManagerOptions } from "./manager-options.js";
import { specsOfMap } from "./map/map-policy.js";
import { ServiceMapFollower } from "./map/service-map-follower.js";
import { proxyUpstreams } from "./proxy-upstream.js";
import { Reconciler } from "./reconciler.js";
import { remoteUpstreams } from "./remote-upstreams.js";
import { ShareOfTime } from "./share-of-time.js";
import { ToolRegistrar, type ToolCallOptions } from "./tool-registrar.js";
import { withinDeadline } from "./within-deadline.js";

export type { ConnectorProxyManagerOptions } from "./manager-options.js";

const DEFAULT_CONCURRENCY = 4;
/** A registry that does not come to an end with a tool is not waited for any longer than this. */
const REGISTRY_MS = 5_000;

/**
 * The connectors of one signed service map, and their tools in a registry (R6): a façade over the follower of the map and the reconciler that the gateway works
 * with as well.
 *
 * Constructing it starts the refresh in the background, unless the environment says otherwise (R7). A refresh that brings a new map is applied by itself;
 * {@link sync} is for whoever wants to wait for it.
 */
export class ConnectorProxyManager {
  readonly #options: ConnectorProxyManagerOptions;
  readonly #logger: Logger;
  readonly #timers: Timers;
  readonly #agent: Agent;
  readonly #follower: ServiceMapFollower;
  readonly #reconciler: Reconciler;
  readonly #registrar: ToolRegistrar;
  /** It looks at the tools of all connectors each time one of them comes up. */
  readonly #registering: ShareOfTime;
  readonly #availability: AvailabilityShare;
  readonly #unsubscribe: () => void;
  #applied: ServiceMapPayload | undefined;
  #specs: readonly ConnectorSpec[] = [];
  #parts: readonly CatalogPart[] = [];
  #ended = false;
  #closing: Promise<void> | undefined;

  /**
   * @throws GatewayError USER_INPUT for an empty `signatureKey`
   * @throws TypeError for a `concurrency` that is neither a whole number from 1 on nor "adaptive"
   */
  constructor(options: ConnectorProxyManagerOptions) {
    const { clock = systemClock, monotonic = systemMonotonic, timers = systemTimers, random = systemRandom } = options;
    const { registry, names, createProxy, signatureKey, keys = KeyRing.fromSecret(signatureKey) } = options;
    const logger = brandedLogger(options.logger);
    // No bound on the connections to one origin: a few long streams must not starve the calls (design.md, traps).
    const agent = new Agent({ connections: null });
    const ports = { clock, monotonic, timers, random, logger, agent };
    this.#options = options;
    this.#logger = logger;
    this.#timers = timers;
    this.#agent = agent;
    this.#availability = new AvailabilityShare(options.gauge ?? globalAvailabilityGauge());
    const { syncHistogram = globalSyncHistogram() } = options;
    this.#registrar = new ToolRegistrar({
      registry,
      names: { ...DEFAULT_NAME_POLICY, ...names },
      logger,
      call: async (tool, args, callOptions) => this.#call(tool, args, callOptions),
    });
    this.#registering = new ShareOfTime(ports, () => {
      this.#register();
    });
    const real = remoteUpstreams(ports);
    this.#reconciler = new Reconciler({
      ...ports,
      createUpstream: createProxy === undefined ? real : proxyUpstreams({ ...ports, createProxy }, real),
      width: options.concurrency ?? DEFAULT_CONCURRENCY,
      onChange: () => {
        this.#onConnectorsChanged();
      },
      onSync: (_connector, seconds, ok) => {
        observeConnectorSync(seconds, ok, syncHistogram);
      },
      onConnectFailed: ({ key }, err) => {
        logger.warn({ connectorId: key, err }, "Connector sync failed");
      },
    });
    this.#follower = new ServiceMapFollower({
      ...options,
      ...ports,
      keys: async () => Promise.resolve(keys),
      flags: parseConnectorFeatureFlags(process.env, logger),
    });
    this.#unsubscribe = this.#follower.subscribe(() => {
      this.#follow();
    });
  }

  /**
   * Makes sure that a map is in force, a fresh one if there is one, and resolves when every connector that it started has settled or had its time. A map that is
   * fresh is used as it is, unless `force`; when it is fetched, connectors that are down try again. Callers that arrive together share one fetch. A tool that the
   * registry did not take is offered once more. A registry that calls this while it registers a tool is not made to wait for itself.
   *
   * @throws ConnectorManifestError when there is no map to serve, and after {@link disconnect}
   */
  async sync(force = false): Promise<void> {
    if (this.#isEnded()) throw this.#disconnected();
    this.#registrar.forgive();
    await this.#follower.load();
    const failed = force || !this.#follower.isFresh ? this.#reconciler.failed : [];
    await this.#follower.sync(force);
    this.#follow();
    this.#reconciler.retry(failed);
    await this.#reconciler.whenSettled();
    if (this.#isEnded()) return;
    this.#registering.runNow();
    this.#registrar.offer();
    await this.#registered();
  }

  /** The connectors of the map in force, disabled ones too, in one spelling; none when there is no map. */
  listConnectors(): readonly ConnectorEntry[] {
    const payload = this.#follower.inForce;
    return payload === undefined ? [] : connectorsOf(payload);
  }

  /**
   * Ends everything, also when nobody waits for it and in the middle of a sync, which then settles: refreshes, connectors, tools, connections. Idempotent.
   *
   * @returns when all is released; never rejects
   */
  disconnect(): Promise<void> {
    this.#ended = true;
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#unsubscribe();
    const ended = [this.#follower.stop(), this.#reconciler.close()];
    this.#registering.cancel();
    this.#registrar.apply([]);
    this.#availability.end();
    await Promise.allSettled([...ended, this.#registered()]);
    await this.#agent.destroy();
  }

  /** A function, because the state may have changed while something was awaited. */
  #isEnded(): boolean {
    return this.#ended;
  }

  /** Applies the map in force, once. */
  #follow(): void {
    const payload = this.#follower.inForce;
    if (this.#isEnded() || payload === this.#applied) return;
    this.#applied = payload;
    this.#specs = payload === undefined ? this.#outOfForce() : specsOfMap(payload, this.#policy());
    this.#reconciler.apply(this.#specs);
  }

  #policy(): Parameters<typeof specsOfMap>[1] {
    const { serviceMapUrl, connectorsApiKey } = this.#options;
    const mapOrigin = URL.canParse(serviceMapUrl) ? new URL(serviceMapUrl).origin : "";
    return { connectorsApiKey, mapOrigin, logger: this.#logger };
  }

  /** The connectors of a map that may not be served any more are down, and say why; they come back with the next map. */
  #outOfForce(): readonly ConnectorSpec[] {
    const reason = "the service map that names it may not be used any more, and no newer one could be fetched";
    return this.#specs.map((spec) => ({ ...spec, transport: { kind: "unsupported", reason } }));
  }

  #onConnectorsChanged(): void {
    if (this.#isEnded()) return;
    this.#measure();
    this.#registering.request();
  }

  #register(): void {
    const parts = this.#reconciler.parts();
    // A change of status alone leaves the tools as they are.
    if (parts.length === this.#parts.length && parts.every((part, at) => part === this.#parts[at])) return;
    this.#parts = parts;
    this.#registrar.apply(parts);
  }

  #measure(): void {
    this.#availability.set(new Map(this.#reconciler.statuses().map(({ key, state }) => [key, state === "up"])));
  }

  async #call({ connector, tool }: CatalogTool, args: JsonObject, options: ToolCallOptions): Promise<JsonObject> {
    const upstream = this.#reconciler.find(connector)?.upstream;
    if (upstream === undefined) throw new GatewayError("UPSTREAM_UNAVAILABLE", `Connector "${connector}" is not there`);
    return upstream.callTool(tool, args, options);
  }

  /** Waits for a registry that answers with promises. */
  async #registered(): Promise<void> {
    if (this.#registrar.isAskedByRegistry) return;
    const tooLate = (): Error =>
      new GatewayError("INTERNAL", `The tool registry did not come to an end within ${REGISTRY_MS} ms`);
    const deadline = { timers: this.#timers, timeoutMs: REGISTRY_MS, signal: undefined };
    try {
      await withinDeadline({ ...deadline, onTimeout: tooLate, onAbort: tooLate }, async () =>
        this.#registrar.whenDone(),
      );
    } catch (err) {
      this.#logger.warn({ err }, "Tools may not be registered yet");
    }
  }

  #disconnected(): ConnectorManifestError {
    const url = this.#options.serviceMapUrl;
    return new ConnectorManifestError(
      "aborted",
      "is not followed any more: the manager was disconnected, make a new one",
      { url },
    );
  }
}
