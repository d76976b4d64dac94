import type { ConnectorOrigin } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { AnswerStore } from "../cache/answer-store.js";
import { cachingUpstreams } from "../cache/caching-upstream.js";
import type { CatalogTool } from "../catalog/catalog-part.js";
import { DEFAULT_CHILDREN } from "../connectors/children-policy.js";
import { ConnectorDirectory } from "../connectors/connector-directory.js";
import type { ServiceMapFollower } from "../connectors/map/service-map-follower.js";
import { remoteUpstreams } from "../connectors/remote-upstreams.js";
import { missingEntry } from "./call-target.js";
import type { FollowedSource, GatewayOptions } from "./gateway-options.js";
import { resolveSettings, type GatewaySettings } from "./gateway-settings.js";
import type { GatewayStatus } from "./gateway-status.js";
import { Measuring } from "./measuring.js";
import { Notices } from "./notices.js";
import { reloadReport, type Inventory, type ReloadReport } from "./reload-report.js";
import { Router } from "./router.js";
import { Scopes } from "./scopes.js";
import { DEFAULT_SESSION_LIMITS, SessionStore } from "./session-store.js";
import { untilOpen } from "./until-open.js";

/**
 * One MCP endpoint in front of many connectors, without a transport: HTTP and stdio put theirs in front of {@link router} and
 * {@link sessions}.
 */
export class Gateway {
  readonly router: Router;
  readonly sessions: SessionStore;
  readonly scopes: Scopes;
  readonly serverInfo: { readonly name: string; readonly version: string };
  readonly #options: GatewayOptions;
  readonly #answers: AnswerStore;
  readonly #directory: ConnectorDirectory;
  readonly #notices: Notices;
  readonly #listeners = new Set<() => void>();
  readonly #startedAt: string;
  /** What is wrong outside of the sources, by what it is about. */
  readonly #problems = new Map<string, string>();
  #serviceMap: ServiceMapFollower | undefined;
  readonly #measuring: Measuring;
  #closing: Promise<void> | undefined;

  constructor(options: GatewayOptions) {
    const { clock, monotonic, timers, random, logger, metrics } = options;
    const settings = resolveSettings(options);
    this.#options = options;
    this.#serviceMap = options.serviceMap;
    this.#startedAt = new Date(clock.now()).toISOString();
    this.serverInfo = { name: "cortex-mcp", version: options.version };
    this.#answers = new AnswerStore(settings.cacheBytes, { clock, monotonic, observer: metrics });
    const { serverInfo: clientInfo } = this;
    const { authorize } = options;
    const children = { ...DEFAULT_CHILDREN, ...options.children };
    const upstreams = remoteUpstreams({ clock, monotonic, timers, random, logger, clientInfo, authorize, children });
    this.#directory = new ConnectorDirectory({
      createUpstream: cachingUpstreams(this.#answers, upstreams),
      clock,
      monotonic,
      timers,
      random,
      logger,
      children,
      sources: options.sources,
      catalogStore: options.catalogStore,
      catalogPolicy: settings.catalog,
      startup: settings.startup,
      onSync: (_connector, seconds, ok) => {
        metrics.synced(ok, seconds);
      },
      onChange: () => this.#onDirectoryChanged(),
      onNotification: ({ key }, notification, sessionKey) => {
        this.#notices.fromUpstream(key, notification, sessionKey);
      },
      onQuestion: (sessionKey, question) => this.sessions.find(sessionKey)?.ask(question),
    });
    this.#measuring = new Measuring({ directory: this.#directory, clock, monotonic, metrics });
    this.#measuring.follow(options.serviceMap);
    metrics.build(options.version);
    this.sessions = new SessionStore({
      monotonic,
      timers,
      limits: { ...DEFAULT_SESSION_LIMITS, ...options.sessions },
      onEnd: ({ id }) => {
        this.#notices.sessionEnded(id);
        this.#directory.endSession(id);
      },
    });
    this.#notices = new Notices({
      ...{ directory: this.#directory, sessions: this.sessions },
      ...{ monotonic, timers, random, logger },
    });
    const { subscriptions, sessionRequests } = this.#notices;
    this.router = new Router({
      directory: this.#directory,
      subscriptions,
      sessions: this.sessions,
      sessionRequests,
      monotonic,
      observe: (request) => {
        this.#measuring.ended(request);
      },
      onBug: (error) => {
        logger.error({ err: error }, "A request could not be handled");
      },
    });
    this.scopes = new Scopes({
      directory: this.#directory,
      serverInfo: this.serverInfo,
      timers,
      settings,
      onListsChanged: (scope, changed) => {
        this.#notices.listsChanged(scope, changed);
      },
      onGone: (scope) => {
        this.#notices.scopeGone(scope);
      },
    });
    this.#directory.catalog.subscribe((catalog, changed) => {
      this.#measuring.catalogChanged(catalog);
      // While starting, clients wait for the gate: nobody was told a list that this could change.
      if (this.#directory.gate.isOpen && changed.size > 0) this.#notices.listsChanged(this.scopes.whole, changed);
    });
  }

  /** Reads the sources and begins to connect; resolves when connectors are starting, not when they are up. */
  async start(): Promise<void> {
    await this.#directory.start();
  }

  /** Resolves when every connector was up, down or disabled once, or the longest wait is over. */
  async settled(): Promise<void> {
    await untilOpen(this.#directory.gate);
  }

  /** Whether a client would be given a list: the start is over and something can be served. */
  get isReady(): boolean {
    return this.#closing === undefined && this.#directory.gate.isOpen && this.#directory.notReady() === undefined;
  }

  /** What follows the service map; `undefined` when none is configured. */
  get serviceMap(): ServiceMapFollower | undefined {
    return this.#serviceMap;
  }

  status(): GatewayStatus {
    const catalog = this.#directory.catalog.current;
    const serviceMap = this.serviceMap?.status();
    return {
      version: this.serverInfo.version,
      startedAt: this.#startedAt,
      revision: catalog.revision,
      tools: catalog.size("tools"),
      sessions: this.sessions.size,
      connectors: this.#directory.statuses(),
      problems: this.#allProblems(),
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

  /** Reads the source of that origin again now, or every one. */
  async reload(origin?: ConnectorOrigin): Promise<void> {
    await this.#directory.reload(origin);
  }

  /**
   * Reads configuration and sources again now, gives what is new the grace of a start, and tells what came of it.
   * @throws GatewayError USER_INPUT when the configuration is refused; nothing else is read then
   */
  async reloadAll(): Promise<ReloadReport> {
    const before = this.#inventory();
    const configuration = (await this.#options.configuration?.reload()) ?? { changed: [], needRestart: [] };
    await this.#directory.reload();
    await this.#directory.settled();
    return reloadReport(before, this.#inventory(), { configuration, problems: this.#allProblems() });
  }

  /** Puts other settings in force, those that are not given being the defaults: clients hear of it as of any change, connectors do not. */
  reconfigure(given: GatewaySettings): void {
    const settings = resolveSettings(given);
    this.scopes.reconfigure(settings);
    this.#answers.resize(settings.cacheBytes);
    this.#directory.reconfigure(settings.catalog, settings.startup);
  }

  /**
   * Follows another service map from now on, or none. The connectors that both name are left alone, as are the registry's; calls in flight to the others may end.
   * Resolves when it was read and the one before is closed; one after the other.
   */
  async followServiceMap(next: FollowedSource | undefined): Promise<void> {
    await this.#directory.replaceSource("map", next?.source);
    this.#serviceMap = next?.follower;
    this.#measuring.follow(this.#serviceMap);
    this.#onDirectoryChanged();
  }

  /** Shows in {@link status} that something around the gateway is wrong, or that it is not any more. */
  setProblem(about: string, problem: string | undefined): void {
    if (problem === undefined) this.#problems.delete(about);
    else this.#problems.set(about, problem);
    this.#onDirectoryChanged();
  }

  /** Resolves when {@link settled}, and sources that are read on demand are fresh or could not be made so. Never rejects. */
  async freshened(): Promise<void> {
    await this.settled();
    await this.#directory.freshen();
  }

  /** Numbers that are cheaper to read than to keep: called before they are shown. */
  measure(): void {
    this.#measuring.now({ sessions: this.sessions.size, listeners: this.#notices.subscriptions.size });
    this.#options.metrics.cacheBytes(this.#answers.bytes);
  }

  /**
   * Calls a tool by its public name, for the command line.
   * @returns the upstream's CallToolResult
   * @throws GatewayError TOOL_UNKNOWN, CANCELLED, UPSTREAM_UNAVAILABLE, UPSTREAM_TIMEOUT…; what `Upstream.callTool` throws for an error of the upstream's
   */
  async callTool(name: string, args: JsonObject, options: { readonly signal?: AbortSignal } = {}): Promise<JsonObject> {
    await untilOpen(this.#directory.gate, options.signal);
    if (this.#directory.catalog.current.find(name) === undefined) await this.#directory.freshen();
    else this.#directory.follow();
    const tool = this.#directory.catalog.current.find(name);
    const upstream = tool === undefined ? undefined : this.#directory.find(tool.connector)?.upstream;
    if (tool === undefined || upstream === undefined) throw this.scopes.whole.explain(missingEntry("tool", name));
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

  #inventory(): Inventory {
    return { connectors: this.#directory.connectors, tools: this.#directory.catalog.current.size("tools") };
  }

  #allProblems(): readonly string[] {
    return [...this.#directory.problems(), ...this.#problems.values()];
  }

  #onDirectoryChanged(): void {
    const { logger } = this.#options;
    this.#measuring.directoryChanged();
    this.#notices.follow();
    this.scopes.follow();
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        logger.error({ err: error }, "A gateway listener failed");
      }
    }
  }
}
