import {
  DEFAULT_NAME_POLICY,
  GatewayError,
  type Clock,
  type ConnectorOrigin,
  type ConnectorStatus,
  type Logger,
  type Monotonic,
  type NamePolicy,
  type RandomSource,
  type Timers,
} from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { DEFAULT_CATALOG_POLICY } from "../catalog/catalog.js";
import type { CatalogTool } from "../catalog/catalog-part.js";
import { ConnectorDirectory } from "../connectors/connector-directory.js";
import type { ConnectorSource } from "../connectors/connector-source.js";
import type { ServiceMapFollower, ServiceMapStatus } from "../connectors/map/service-map-follower.js";
import { remoteUpstreams } from "../connectors/remote-upstreams.js";
import { DEFAULT_STARTUP, type StartupPolicy } from "../connectors/start-gate.js";
import type { GatewayMetrics } from "../telemetry/metrics.js";
import { Notices } from "./notices.js";
import { Router } from "./router.js";
import { DEFAULT_SESSION_LIMITS, SessionStore, type SessionLimits } from "./session-store.js";

/** How a {@link Gateway} is made. */
export interface GatewayOptions {
  /** Our own version, as clients and upstreams see it. */
  readonly version: string;
  readonly sources: readonly ConnectorSource[];
  /** What the service map's source follows: for status, metrics and the operators' commands. Its source stops it. @default none is configured */
  readonly serviceMap?: ServiceMapFollower | undefined;
  readonly names?: Partial<NamePolicy>;
  /** `ttlMs`: caching hint of lists in milliseconds (300,000); `pageSize`: tools on a page (1,000). */
  readonly lists?: { readonly ttlMs?: number; readonly pageSize?: number };
  readonly startup?: Partial<StartupPolicy>;
  readonly sessions?: Partial<SessionLimits>;
  readonly clock: Clock;
  readonly monotonic: Monotonic;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
}

/** The gateway at a glance. */
export interface GatewayStatus {
  readonly version: string;
  /** RFC 3339. */
  readonly startedAt: string;
  /** The catalog's content hash. */
  readonly revision: string;
  readonly tools: number;
  /** Legacy client sessions alive. */
  readonly sessions: number;
  readonly connectors: readonly ConnectorStatus[];
  /** Why sources of connectors cannot be read at present; empty when all is well. */
  readonly problems: readonly string[];
  /** How the service map is; absent when none is configured. */
  readonly serviceMap?: ServiceMapStatus;
}

/**
 * One MCP endpoint in front of many connectors, without a transport: HTTP and stdio put theirs in front of {@link router} and
 * {@link sessions}.
 */
export class Gateway {
  readonly router: Router;
  readonly sessions: SessionStore;
  readonly serverInfo: { readonly name: string; readonly version: string };
  readonly #options: GatewayOptions;
  readonly #directory: ConnectorDirectory;
  readonly #notices: Notices;
  readonly #listeners = new Set<() => void>();
  readonly #startedAt: string;
  #measured: ReadonlyMap<string, ConnectorStatus["state"]> = new Map();
  #closing: Promise<void> | undefined;

  constructor(options: GatewayOptions) {
    const { clock, monotonic, timers, random, logger, metrics } = options;
    const names = { ...DEFAULT_NAME_POLICY, ...options.names };
    const lists = { ...DEFAULT_CATALOG_POLICY, ...options.lists };
    this.#options = options;
    this.#startedAt = new Date(clock.now()).toISOString();
    this.serverInfo = { name: "cortex-mcp", version: options.version };
    this.#directory = new ConnectorDirectory({
      createUpstream: remoteUpstreams({ clock, monotonic, timers, random, logger, clientInfo: this.serverInfo }),
      clock,
      monotonic,
      timers,
      random,
      logger,
      sources: options.sources,
      catalogPolicy: { names, ttlMs: lists.ttlMs, pageSize: lists.pageSize },
      startup: { ...DEFAULT_STARTUP, ...options.startup },
      onSync: (_connector, seconds, ok) => {
        metrics.synced(ok, seconds);
      },
      onChange: () => {
        this.#onDirectoryChanged();
      },
      onNotification: ({ key }, notification, sessionKey) => {
        this.#notices.fromUpstream(key, notification, sessionKey);
      },
    });
    this.sessions = new SessionStore({
      monotonic,
      timers,
      limits: { ...DEFAULT_SESSION_LIMITS, ...options.sessions },
      onEnd: ({ id }) => {
        this.#notices.sessionEnded(id);
        this.#directory.endSession(id);
      },
    });
    this.#notices = new Notices({ directory: this.#directory, sessions: this.sessions, monotonic, timers, logger });
    const { subscriptions, sessionRequests } = this.#notices;
    this.router = new Router({
      directory: this.#directory,
      subscriptions,
      sessions: this.sessions,
      sessionRequests,
      monotonic,
      observeCall: (connector, outcome, seconds) => {
        metrics.called(connector, outcome, seconds);
      },
      serverInfo: this.serverInfo,
      separator: names.prefix === "always" ? names.separator : undefined,
      discoverTtlMs: lists.ttlMs,
    });
    this.#directory.catalog.subscribe(({ tools }, changed) => {
      metrics.catalogTools(tools.length);
      metrics.catalogChanged();
      // While starting, clients wait for the gate: nobody was told a list that this could change.
      if (this.#directory.gate.isOpen) this.#notices.listsChanged(changed);
    });
  }

  /** Reads the sources and begins to connect; resolves when connectors are starting, not when they are up. */
  async start(): Promise<void> {
    await this.#directory.start();
  }

  /** Resolves when every connector was up, down or disabled once, or the longest wait is over. */
  async settled(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#directory.gate.whenOpen(resolve);
    });
  }

  /** Whether a client would be given a list: the start is over and something can be served. */
  get isReady(): boolean {
    return this.#closing === undefined && this.#directory.gate.isOpen && this.#directory.notReady() === undefined;
  }

  /** What follows the service map; `undefined` when none is configured. */
  get serviceMap(): ServiceMapFollower | undefined {
    return this.#options.serviceMap;
  }

  status(): GatewayStatus {
    const catalog = this.#directory.catalog.current;
    const serviceMap = this.serviceMap?.status();
    return {
      version: this.serverInfo.version,
      startedAt: this.#startedAt,
      revision: catalog.revision,
      tools: catalog.tools.length,
      sessions: this.sessions.size,
      connectors: this.#directory.statuses(),
      problems: this.#directory.problems(),
      ...(serviceMap === undefined ? {} : { serviceMap }),
    };
  }

  /** The catalog's tools, sorted by public name. */
  tools(): readonly CatalogTool[] {
    return this.#directory.catalog.current.tools;
  }

  /** Tells `listener` whenever status or catalog changed; the returned function ends that. */
  onChange(listener: () => void): () => void {
    const own = (): void => {
      listener();
    };
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Reads every source again now, or the one of that origin. */
  async reload(origin?: ConnectorOrigin): Promise<void> {
    await this.#directory.reload(origin);
  }

  /** Resolves when {@link settled}, and sources that are read on demand are fresh or could not be made so. Never rejects. */
  async freshened(): Promise<void> {
    await this.settled();
    await this.#directory.freshen();
  }

  /** Numbers that are cheaper to read than to keep: called before they are shown. */
  measure(): void {
    this.#options.metrics.sessions(this.sessions.size);
    this.#options.metrics.listeners(this.#notices.subscriptions.size);
    if (this.serviceMap !== undefined) this.#options.metrics.serviceMap(this.serviceMap.status());
  }

  /**
   * Calls a tool by its public name, for the command line.
   * @returns the upstream's CallToolResult
   * @throws GatewayError TOOL_UNKNOWN, CANCELLED, UPSTREAM_UNAVAILABLE, UPSTREAM_TIMEOUT…; what `Upstream.callTool` throws for an error of the upstream's
   */
  async callTool(name: string, args: JsonObject, options: { readonly signal?: AbortSignal } = {}): Promise<JsonObject> {
    await this.#settledUnless(options.signal);
    if (this.#directory.catalog.current.find(name) === undefined) await this.#directory.freshen();
    else this.#directory.follow();
    const tool = this.#directory.catalog.current.find(name);
    const upstream = tool === undefined ? undefined : this.#directory.find(tool.connector)?.upstream;
    if (tool === undefined || upstream === undefined) throw this.router.unknownTool(name);
    return upstream.callTool(tool.tool, args, options);
  }

  /** Ends what is long-lived in good order: listeners hear a result, GET streams are closed. Requests under way and new ones still work. */
  endStreams(): void {
    this.#notices.subscriptions.endAll();
    this.sessions.endStreams();
  }

  /** Releases everything: children, sockets, timers. Idempotent. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    this.endStreams();
    this.sessions.endAll("the gateway is shutting down");
    await this.#directory.close();
    this.#notices.stop();
    this.#listeners.clear();
  }

  /** @throws GatewayError CANCELLED as soon as `signal` says so */
  async #settledUnless(signal: AbortSignal | undefined): Promise<void> {
    const { gate } = this.#directory;
    if (signal === undefined || gate.isOpen) {
      await this.settled();
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        forget();
        reject(new GatewayError("CANCELLED", "The call was given up while the connectors were starting"));
      };
      const forget = gate.whenOpen(() => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      });
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  #onDirectoryChanged(): void {
    const { metrics, logger } = this.#options;
    const statuses = this.#directory.living();
    for (const { key, state } of statuses) {
      metrics.connectorUp(key, state === "up");
      if (state === "down" && this.#measured.get(key) !== "down") metrics.connectorFailed(key);
    }
    const living = new Map(statuses.map(({ key, state }) => [key, state]));
    for (const key of this.#measured.keys()) if (!living.has(key)) metrics.connectorGone(key);
    this.#measured = living;
    this.#notices.follow();
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        logger.error({ err: error }, "A gateway listener failed");
      }
    }
  }
}
