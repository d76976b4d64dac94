import { ANSWERED, type Exchange } from "@cortex-os/mcp-bridge";
import { GatewayError, type Timers } from "@cortex-os/mcp-core";
import {
  isJsonObject,
  LIST_CHANGES,
  META,
  metaOf,
  SERVER_FEATURES,
  type JsonObject,
  type JsonRpcNotification,
  type RequestId,
  type ServerFeature,
} from "@cortex-os/mcp-core/wire";
import type { ClientSink } from "./client-sink.js";
import type { ListListener } from "./herd.js";
import type { ResourceWatches } from "./resource-watches.js";
import type { Scope } from "./scope.js";
import type { SelfDescription } from "./self-description.js";

/** What {@link Subscriptions} work through. */
export interface SubscriptionsDeps {
  readonly watches: Pick<ResourceWatches, "watch">;
  readonly timers: Timers;
}

/** How long upstreams may take to agree before the rest is acknowledged; one that has not said no by then counts as agreeing. Milliseconds. */
const AGREE_MS = 2_000;
/** Most resources of one subscription. */
const MAX_RESOURCES = 1_000;

interface Filter {
  readonly features: ReadonlySet<ServerFeature>;
  readonly uris: readonly string[];
}

/** A stream, as whoever tells of lists sees it. */
export interface ListSubscription extends ListListener {
  readonly scope: Scope;
  /** Whether it asked to hear of changes of the lists of any of these features. */
  wantsAny(features: ReadonlySet<ServerFeature>): boolean;
}

/**
 * The modern era's `subscriptions/listen` streams (2026-07-28, Subscriptions). Each is acknowledged first, hears only what it asked for, and carries
 * its `subscriptionId` on every message.
 */
export class Subscriptions {
  readonly #deps: SubscriptionsDeps;
  readonly #open = new Set<Subscription>();

  constructor(deps: SubscriptionsDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Opens a stream, or fails `sink` when nothing says what it is for; it ends by `cancel` of the returned exchange or by {@link endAll}. */
  open(id: RequestId, params: JsonObject | undefined, sink: ClientSink, scope: Scope): Exchange {
    const description = scope.describe();
    const filter = GatewayError.is(description) ? description : filterOf(params, description);
    if (GatewayError.is(filter)) {
      sink.fail(filter);
      return ANSWERED;
    }
    const subscription = new Subscription(id, scope, filter, sink);
    this.#open.add(subscription);
    subscription.start(this.#deps);
    return {
      cancel: () => {
        this.#open.delete(subscription);
        subscription.end();
      },
      resume: () => {},
    };
  }

  /** Every open stream. */
  all(): Iterable<ListSubscription> {
    return this.#open;
  }

  /** Ends every stream of the scope with a result: nothing leads to it any more. */
  endScope(scope: Scope): void {
    for (const subscription of [...this.#open]) {
      if (subscription.scope !== scope) continue;
      this.#open.delete(subscription);
      subscription.complete();
    }
  }

  /** Ends every stream with a result, as a server that closes should. */
  endAll(): void {
    for (const subscription of [...this.#open]) subscription.complete();
    this.#open.clear();
  }
}

/** One stream. */
class Subscription implements ListSubscription {
  readonly scope: Scope;
  readonly #id: RequestId;
  readonly #filter: Filter;
  readonly #sink: ClientSink;
  readonly #ends = new Set<() => void>();
  /** What came before the acknowledgement, each thing once. */
  readonly #early = new Map<string, JsonRpcNotification>();
  #state: "opening" | "open" | "ended" = "opening";

  constructor(id: RequestId, scope: Scope, filter: Filter, sink: ClientSink) {
    this.#id = id;
    this.scope = scope;
    this.#filter = filter;
    this.#sink = sink;
  }

  start({ watches, timers }: SubscriptionsDeps): void {
    const { uris } = this.#filter;
    if (uris.length === 0) {
      this.#acknowledge([]);
      return;
    }
    const refused = new Set<string>();
    const agreed = Promise.all(
      uris.map(async (uri) => {
        try {
          const end = await watches.watch(this.scope, uri, (params) => {
            this.#tell(`updated ${uri}`, { jsonrpc: "2.0", method: "notifications/resources/updated", params });
          });
          if (this.#state === "ended") end();
          else this.#ends.add(end);
        } catch {
          refused.add(uri);
        }
      }),
    );
    const acknowledge = (): void => {
      cancel();
      if (this.#state === "opening") this.#acknowledge(uris.filter((uri) => !refused.has(uri)));
    };
    const cancel = timers.after(AGREE_MS, acknowledge);
    void agreed.then(acknowledge);
  }

  wantsAny(features: ReadonlySet<ServerFeature>): boolean {
    for (const feature of this.#filter.features) if (features.has(feature)) return true;
    return false;
  }

  listChanged(feature: ServerFeature): void {
    if (!this.#filter.features.has(feature)) return;
    const { notification } = LIST_CHANGES[feature];
    this.#tell(notification, { jsonrpc: "2.0", method: notification });
  }

  complete(): void {
    if (this.#state === "ended") return;
    this.end();
    const meta = this.#metaFor(undefined);
    this.#sink.respond({ jsonrpc: "2.0", id: this.#id, result: { resultType: "complete", _meta: meta } });
  }

  end(): void {
    this.#state = "ended";
    for (const end of this.#ends) end();
    this.#ends.clear();
  }

  /** Only what will really be sent is acknowledged. */
  #acknowledge(uris: readonly string[]): void {
    this.#state = "open";
    const granted = SERVER_FEATURES.filter((feature) => this.#filter.features.has(feature));
    this.#send({
      jsonrpc: "2.0",
      method: "notifications/subscriptions/acknowledged",
      params: {
        notifications: {
          ...Object.fromEntries(granted.map((feature) => [LIST_CHANGES[feature].filter, true])),
          ...(uris.length === 0 ? {} : { resourceSubscriptions: uris }),
        },
      },
    });
    for (const notification of this.#early.values()) this.#send(notification);
    this.#early.clear();
  }

  #tell(what: string, notification: JsonRpcNotification): void {
    if (this.#state === "open") this.#send(notification);
    else if (this.#state === "opening") this.#early.set(what, notification);
  }

  #send({ method, params }: JsonRpcNotification): void {
    this.#sink.notify({ jsonrpc: "2.0", method, params: { ...params, _meta: this.#metaFor(params) } });
  }

  #metaFor(params: JsonObject | undefined): JsonObject {
    return { ...metaOf(params), [META.subscriptionId]: this.#id };
  }
}

/** What was asked for and can be granted. */
function filterOf(params: JsonObject | undefined, description: SelfDescription): Filter | GatewayError {
  const asked = params?.["notifications"];
  if (!isJsonObject(asked)) return wrong("params.notifications must be an object that says what to listen to");
  const { resourceSubscriptions = [] } = asked;
  if (!isTextList(resourceSubscriptions))
    return wrong("params.notifications.resourceSubscriptions must be a list of URIs");
  const uris = [...new Set(resourceSubscriptions)];
  if (uris.length > MAX_RESOURCES) return wrong(`One subscription is for ${MAX_RESOURCES} resources at most`);
  const features = SERVER_FEATURES.filter(
    (feature) => asked[LIST_CHANGES[feature].filter] === true && description.tells(feature),
  );
  return { features: new Set(features), uris };
}

const isTextList = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((member) => typeof member === "string");

const wrong = (message: string): GatewayError => new GatewayError("INVALID_PARAMS", message);
