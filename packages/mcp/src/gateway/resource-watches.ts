import { GatewayError, messageOf, type Logger } from "@cortex-os/mcp-core";
import { META, metaOf, type JsonObject } from "@cortex-os/mcp-core/wire";
import type { Upstream } from "../connectors/upstream.js";
import type { Scope } from "./scope.js";
import { WatchIndex } from "./watch-index.js";

/** Hears that a resource changed: the params of `notifications/resources/updated`, with the URI under which it was asked for. */
export type ResourceListener = (params: JsonObject) => void;

/** What {@link ResourceWatches} work through. */
export interface ResourceWatchesDeps {
  /** The living upstream of a connector. */
  readonly upstreamOf: (connector: string) => Upstream | undefined;
  readonly logger: Logger;
  /** Most listeners at once, each resource that one client listens to being one. @default 100_000 */
  readonly maxWatchers?: number;
}

/** How the URIs of those who listen are read and written. */
export type UriReader = Pick<Scope, "resolve" | "addressOf">;

/** {@link ResourceWatchesDeps.maxWatchers}' default: a session or a subscription alone may have a thousand. */
const MAX_WATCHERS = 100_000;

interface Watcher {
  readonly scope: UriReader;
  /** As the client calls it. */
  readonly uri: string;
  readonly listener: ResourceListener;
  /** The client session that it is of. */
  readonly sessionKey: string | undefined;
}

/**
 * Which resources clients want to hear of: each is asked of its upstream once, however many they are, and no longer than one of them listens. A connector that
 * was replaced is asked anew.
 */
export class ResourceWatches {
  readonly #deps: ResourceWatchesDeps;
  readonly #watches = new WatchIndex<Watch>();
  #watchers = 0;

  constructor(deps: ResourceWatchesDeps) {
    this.#deps = deps;
  }

  /** How many resources are asked of upstreams. */
  get size(): number {
    return this.#watches.size;
  }

  /**
   * Tells `listener` of changes of a resource from the moment its upstream agreed; one that is down counts as agreeing, and is asked when it is back.
   *
   * @param scope says whose resource it is
   * @param sessionKey the client session that listens; absent for clients without one
   * @returns a function that ends it; it may be called twice
   * @throws GatewayError when nobody has that resource, or its upstream does not tell of changes; LIMITED when too many listen already
   */
  async watch(scope: UriReader, uri: string, listener: ResourceListener, sessionKey?: string): Promise<() => void> {
    const resolved = scope.resolve(uri);
    if (GatewayError.is(resolved)) throw resolved;
    const { maxWatchers = MAX_WATCHERS } = this.#deps;
    if (this.#watchers >= maxWatchers) throw tooMany(maxWatchers);
    const { connector, uri: own } = resolved;
    const watch = this.#watches.get(connector, own) ?? this.#begin(connector, own);
    const watcher: Watcher = { scope, uri, listener, sessionKey };
    watch.watchers.add(watcher);
    this.#watchers += 1;
    const end = (): void => {
      if (!watch.watchers.delete(watcher)) return;
      this.#watchers -= 1;
      this.#endUnwatched(watch);
    };
    try {
      await watch.begin(this.#deps.upstreamOf(connector));
    } catch (error) {
      end();
      throw error;
    }
    return end;
  }

  /**
   * An upstream says that a resource of its own changed; it may be a part of one that is watched (2025-11-25, Resources).
   *
   * @param sessionKey the client session whose own child or connection says so: it is nobody else's business
   */
  updated(connector: string, params: JsonObject, sessionKey?: string): void {
    const { uri } = params;
    if (typeof uri !== "string") return;
    for (const watch of this.#watches.holding(connector, uri)) {
      for (const watcher of [...watch.watchers]) {
        if (sessionKey !== undefined && watcher.sessionKey !== sessionKey) continue;
        watcher.listener({ ...withoutSubscription(params), uri: publicUri(uri, watch, watcher) });
      }
    }
  }

  /** Connectors came or were replaced: what is watched is asked of those that have not been asked. */
  follow(): void {
    for (const [connector, watches] of this.#watches.byConnector()) {
      const upstream = this.#deps.upstreamOf(connector);
      for (const watch of watches) {
        if (upstream === undefined || watch.isAsked(upstream)) continue;
        watch.begin(upstream).catch((error: unknown) => {
          const fields = { connectorId: connector, reason: messageOf(error) };
          this.#deps.logger.warn(fields, "A resource that clients listen to is not told of any more");
        });
      }
    }
  }

  #begin(connector: string, own: string): Watch {
    const watch = new Watch(connector, own);
    this.#watches.add(watch);
    return watch;
  }

  #endUnwatched(watch: Watch): void {
    if (watch.watchers.size > 0) return;
    void watch.end(() => {
      // Somebody may have come back meanwhile.
      if (watch.watchers.size === 0) this.#watches.delete(watch);
    });
  }
}

function tooMany(maxWatchers: number): GatewayError {
  const message = `Clients listen to ${maxWatchers} resources already; try again later`;
  return new GatewayError("LIMITED", message, { data: { retryAfterMs: 1_000 } });
}

/** One resource of one upstream, and who wants to hear of it. What is asked of the upstream is asked in order. */
class Watch {
  readonly connector: string;
  readonly own: string;
  readonly watchers = new Set<Watcher>();
  #upstream: Upstream | undefined;
  #agreed: Promise<void> = Promise.resolve();
  #last: Promise<unknown> = Promise.resolve();

  constructor(connector: string, own: string) {
    this.connector = connector;
    this.own = own;
  }

  /** Whether `upstream` was asked, and has not refused. */
  isAsked(upstream: Upstream): boolean {
    return this.#upstream === upstream;
  }

  /** Asks `upstream`, unless that was done. @throws what it refuses with */
  begin(upstream: Upstream | undefined): Promise<void> {
    if (upstream === undefined || upstream === this.#upstream) return this.#agreed;
    this.#upstream = upstream;
    this.#agreed = this.#next(async () => upstream.subscribe(this.own)).catch((error: unknown) => {
      if (this.#upstream === upstream) this.#upstream = undefined;
      throw GatewayError.from(error, "INTERNAL", "The resource cannot be watched");
    });
    // Whoever waits for it hears of the failure; when nobody does, it is none.
    this.#agreed.catch(() => {});
    return this.#agreed;
  }

  /** Asks the upstream to tell no more, unless somebody wants to hear again by then. */
  async end(then: () => void): Promise<void> {
    await this.#next(async () => {
      const upstream = this.#upstream;
      if (this.watchers.size > 0 || upstream === undefined) return;
      this.#upstream = undefined;
      await upstream.unsubscribe(this.own);
    }).catch(() => {
      // An upstream that went on telling is not listened to.
    });
    then();
  }

  #next(step: () => Promise<void>): Promise<void> {
    const next = this.#last.then(step);
    this.#last = next.catch(() => {});
    return next;
  }
}

/** A resource of a watched one's connector, as the watcher calls it. */
function publicUri(uri: string, { connector, own }: Watch, watcher: Watcher): string {
  if (uri === own) return watcher.uri;
  return watcher.uri === own ? uri : watcher.scope.addressOf(connector, uri);
}

/** The params without the id of our own subscription with the upstream. */
function withoutSubscription(params: JsonObject): JsonObject {
  const meta = metaOf(params);
  if (meta?.[META.subscriptionId] === undefined) return params;
  const { [META.subscriptionId]: _, ...kept } = meta;
  const { _meta, ...rest } = params;
  return Object.keys(kept).length === 0 ? rest : { ...rest, _meta: kept };
}
