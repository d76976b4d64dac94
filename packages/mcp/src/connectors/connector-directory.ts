import type { ConnectorOrigin, ConnectorStatus, Logger } from "@cortex-os/mcp-core";
import { GatewayError } from "@cortex-os/mcp-core";
import type { JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import { Catalog, catalogLists, type CatalogPolicy } from "../catalog/catalog.js";
import type { CatalogPart } from "../catalog/catalog-part.js";
import type { MergedLists } from "../catalog/merged-lists.js";
import { CatalogHolder } from "../catalog/catalog-holder.js";
import type { Connector } from "./connector.js";
import type { ConnectorSource } from "./connector-source.js";
import { ConnectorSources } from "./connector-sources.js";
import { mergeSpecs, ShadowedConnectors } from "./merge-specs.js";
import { Reconciler, type ReconcilerDeps } from "./reconciler.js";
import { ShareOfTime } from "./share-of-time.js";
import { StartGate, type StartupPolicy } from "./start-gate.js";
import type { CatalogStore } from "./warm/catalog-store.js";
import { RememberedParts } from "./warm/remembered-parts.js";

/** What a {@link ConnectorDirectory} works through. */
export interface ConnectorDirectoryDeps extends Omit<ReconcilerDeps, "onChange" | "memory" | "width"> {
  readonly sources: readonly ConnectorSource[];
  readonly catalogPolicy: CatalogPolicy;
  readonly startup: StartupPolicy;
  /** Where what connectors offer is kept over a restart. @default nowhere */
  readonly catalogStore?: CatalogStore | undefined;
  /** Status or catalog changed. */
  readonly onChange: () => void;
}

/**
 * The refresh flow: sources → reconciler → connectors → catalog. Owns them all and keeps the catalog true to what the connectors offer.
 */
export class ConnectorDirectory {
  readonly catalog: CatalogHolder;
  readonly gate: StartGate;
  readonly #deps: ConnectorDirectoryDeps;
  readonly #logger: Logger;
  readonly #reconciler: Reconciler;
  readonly #memory: RememberedParts | undefined;
  #policy: CatalogPolicy;
  /** What the catalogs under this policy are made of. */
  #lists: MergedLists;
  #graceMs: number;
  readonly #sources: ConnectorSources;
  readonly #shadowed = new ShadowedConnectors();
  #started = false;
  /** Connectors changed since the catalog was built. */
  #isStale = false;
  /** They are about to be looked at. */
  #isLooking = false;
  readonly #rebuilding: ShareOfTime;
  #knownCollisions = "";
  #parts: readonly CatalogPart[] = [];
  #closed = false;

  constructor(deps: ConnectorDirectoryDeps) {
    this.#deps = deps;
    this.#logger = deps.logger;
    this.#policy = deps.catalogPolicy;
    this.#lists = catalogLists(deps.catalogPolicy);
    this.#graceMs = deps.startup.graceMs;
    this.#sources = new ConnectorSources({
      ...deps,
      onChange: () => {
        // Until every source has spoken once, a connector could be started for one source and replaced for another.
        if (this.#started) this.#reconcile();
      },
    });
    this.#rebuilding = new ShareOfTime(deps, () => this.#rebuild());
    this.gate = new StartGate(deps.startup, deps.timers);
    this.catalog = new CatalogHolder(new Catalog([], deps.catalogPolicy, this.#lists), (error) => {
      this.#logger.error({ err: error }, "A catalog listener failed");
    });
    const { catalogStore } = deps;
    this.#memory = catalogStore && new RememberedParts(catalogStore, deps.logger);
    this.#reconciler = new Reconciler({
      ...deps,
      width: deps.startup.width,
      memory: this.#memory,
      onChange: () => {
        this.#onConnectorsChanged();
      },
    });
  }

  /** Reads the sources and starts their connectors; resolves when they are starting, not when they are up. */
  async start(): Promise<void> {
    this.gate.start();
    await Promise.all([this.#memory?.load(), this.#sources.start()]);
    this.#started = true;
    this.#reconcile();
  }

  /** Reads every source again now, or the one of that origin. */
  async reload(origin?: ConnectorOrigin): Promise<void> {
    await this.#sources.reload(origin);
  }

  /** Takes its connectors from `source` from now on, instead of the source of that origin; see `ConnectorSources.replace`. */
  async replaceSource(origin: ConnectorOrigin, source: ConnectorSource | undefined): Promise<void> {
    await this.#sources.replace(origin, source);
  }

  /** Offers the same under another policy: no connector hears of it, and calls in flight go on. */
  reconfigure(policy: CatalogPolicy, startup: StartupPolicy): void {
    this.#policy = policy;
    this.#lists = catalogLists(policy);
    this.#graceMs = startup.graceMs;
    this.#reconciler.reconfigure(startup.width);
    this.gate.reconfigure(startup);
    if (this.#closed) return;
    this.#rebuildFrom(this.#parts);
    this.#deps.onChange();
  }

  /**
   * Sees to it that sources that are read on demand are read, and that what came of it is in the catalog: connectors that are new get the grace of a start.
   * @returns `undefined` when there is nothing to wait for, which is how it is unless refresh in the background was turned off; else what never rejects
   */
  freshen(): Promise<void> | undefined {
    const freshening = this.#sources.freshen();
    return freshening.length === 0 ? undefined : this.#settledAfter(freshening);
  }

  /**
   * Begins what {@link freshen} waits for, and does not wait: for a call whose tool is known, so that a client that does nothing but call has the gateway follow
   * its sources all the same.
   */
  follow(): void {
    this.#sources.follow();
  }

  /** Resolves when what is connecting has settled and what came of it is in the catalog, after the grace of a start at the latest. Never rejects. */
  async settled(): Promise<void> {
    let cancel = (): void => {};
    const grace = new Promise<void>((resolve) => {
      cancel = this.#deps.timers.after(this.#graceMs, resolve);
    });
    await Promise.race([this.#reconciler.whenSettled(), grace]);
    cancel();
    // What came of it may be told in this turn still.
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    if (this.#isStale && !this.#closed) this.#rebuilding.runNow();
  }

  /** The living connector of that key, disabled ones included. */
  find(key: string): Connector | undefined {
    return this.#reconciler.find(key);
  }

  /** Every living connector, sorted by key. */
  get connectors(): readonly Connector[] {
    return this.#reconciler.connectors;
  }

  /** Every living connector's status, sorted by key. */
  living(): readonly ConnectorStatus[] {
    return this.#reconciler.statuses();
  }

  /** {@link living}, and behind each the connector of the service map that lost its key to it. */
  statuses(): readonly ConnectorStatus[] {
    return this.#shadowed.among(this.living());
  }

  /** Why sources cannot be read at present; empty when all is well. */
  problems(): readonly string[] {
    return this.#sources.problems();
  }

  /** Passes on what a legacy client told the gateway to every upstream that the client has a session or a process with. */
  tellOfClient(sessionKey: string, notification: JsonRpcNotification): void {
    for (const { upstream } of this.#reconciler.connectors) upstream?.tellOfClient?.(sessionKey, notification);
  }

  /** A client session ended: nothing is held for it any longer. */
  endSession(sessionKey: string): void {
    for (const { upstream } of this.#reconciler.connectors) upstream?.endSession(sessionKey);
  }

  /**
   * Why there is nothing to list, when there should be: connectors are configured and none ever came up (design.md, Starting), or nobody
   * has said yet, or can say, which there are. It asks what the catalog was built from, not the connectors: between a connector's first list and the
   * catalog that holds it, the catalog is still empty.
   * @returns `undefined` when the catalog can be served
   */
  notReady(): GatewayError | undefined {
    if (this.#parts.length > 0) return undefined;
    if (!this.#started)
      return new GatewayError("NOT_READY", "The configured connectors are still being read. Try again soon");
    const enabled = this.#reconciler.connectors.filter(({ spec }) => !spec.disabled);
    if (enabled.length === 0) {
      const problems = this.problems();
      if (problems.length === 0) return undefined;
      return new GatewayError("NOT_READY", `It is not known which connectors there are: ${problems.join("; ")}`);
    }
    const reasons = [...enabled.map((connector) => connector.describe()), ...this.problems()];
    return new GatewayError("NOT_READY", `No connector is up yet: ${reasons.join("; ")}`);
  }

  /** Releases everything, also when one part of it fails; whoever waits for the start is let through. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#rebuilding.cancel();
    this.gate.open();
    await this.#sources.close();
    await this.#reconciler.close();
    await this.#memory?.close();
  }

  async #settledAfter(freshening: readonly Promise<void>[]): Promise<void> {
    await Promise.allSettled(freshening);
    await this.settled();
  }

  #reconcile(): void {
    if (this.#closed) return;
    const { specs, shadowed } = mergeSpecs(this.#sources.named("registry"), this.#sources.named("map"));
    this.#shadowed.update(shadowed, this.#deps.clock.now());
    this.#reconciler.apply(specs);
    // A source that cannot be read, or has more to say soon, may yet name the connectors that are missing.
    if (this.problems().length === 0 && !this.#sources.isSettling) this.#memory?.dropUnclaimed();
  }

  #onConnectorsChanged(): void {
    // Many connectors come up in one tick: one catalog for all of them.
    this.#isStale = true;
    if (this.#isLooking || this.#closed) return;
    this.#isLooking = true;
    setImmediate(() => {
      this.#isLooking = false;
      if (this.#closed || !this.#isStale) return;
      // A thousand connectors come up in a thousand ticks: fewer catalogs, but the last of the start for whoever waits for it.
      if (this.gate.isOpen || !this.#hasStarted()) this.#rebuilding.request();
      else this.#rebuilding.runNow();
    });
  }

  #rebuild(): void {
    this.#isStale = false;
    const parts = this.#reconciler.parts();
    // A change of status alone leaves the catalog as it is.
    const same = parts.length === this.#parts.length && parts.every((part, at) => part === this.#parts[at]);
    try {
      if (!same) this.#rebuildFrom(parts);
    } catch (error) {
      // A bug of ours, or what no check foresaw: it must not end the process, and the catalog before is still good.
      this.#logger.error({ err: error }, "The catalog could not be built: the one before stays in force");
    }
    this.#openGate();
    this.#deps.onChange();
  }

  #rebuildFrom(parts: readonly CatalogPart[]): void {
    const next = new Catalog(parts, this.#policy, this.#lists);
    this.#parts = parts;
    this.#reportCollisions(next);
    if (this.catalog.swap(next)) {
      const counts = { tools: next.size("tools"), resources: next.size("resources"), prompts: next.size("prompts") };
      this.#logger.info({ revision: next.revision.slice(0, 12), ...counts }, "Catalog changed");
    }
  }

  #openGate(): void {
    if (this.gate.isOpen) return;
    if (this.#hasStarted()) this.gate.open();
    else if (this.#reconciler.connectors.some(({ isUp, isWarm }) => isUp || isWarm)) this.gate.firstUp();
  }

  /** Whether there is nothing to wait for: every connector has settled or serves what it listed before. */
  #hasStarted(): boolean {
    // A source that has more to say soon is one more thing that is still connecting.
    return !this.#sources.isSettling && this.#reconciler.connectors.every((each) => each.isSettled || each.isWarm);
  }

  #reportCollisions({ collisions, promptCollisions, resourceCollisions }: Catalog): void {
    const refused = { Tool: collisions, Prompt: promptCollisions, Resource: resourceCollisions };
    const summary = JSON.stringify(refused);
    if (summary === this.#knownCollisions) return;
    this.#knownCollisions = summary;
    for (const [what, ones] of Object.entries(refused)) {
      for (const { name, claimants } of ones)
        this.#logger.warn({ name, claimants }, `${what} name claimed more than once: all of them are refused`);
    }
  }
}
