import {
  ANSWERED,
  type Caller,
  type Exchange,
  type UpstreamCall,
  type UpstreamFacts,
  type UpstreamList,
} from "@cortex-os/mcp-bridge";
import type { ConnectorSpec } from "@cortex-os/mcp-core";
import {
  paramsForUpstream,
  type JsonObject,
  type JsonRpcNotification,
  type ListKind,
  type LogLevel,
} from "@cortex-os/mcp-core/wire";
import type { CreateUpstream, ReadySink, Upstream, UpstreamEvents } from "../connectors/upstream.js";
import type { AnswerShelf, Wanted } from "./answer-shelf.js";
import type { AnswerStore } from "./answer-store.js";
import { encodeKept } from "./kept-answer.js";
import { KeepingSink } from "./keeping-sink.js";
import { requestDigest } from "./request-digest.js";

/** What a client asks of an upstream, rather than of the gateway, and may be told once more (2026-07-28, Caching). */
const CACHEABLE = "resources/read";

/** Makes upstreams of which a read is answered from `store` as long as its upstream said that it may be. */
export function cachingUpstreams(store: AnswerStore, inner: CreateUpstream): CreateUpstream {
  return (spec, events, earlier) => {
    const shelf = new Shelves(store);
    const heard: UpstreamEvents = {
      ...events,
      // What clients hear of a change must find it forgotten here.
      onListChanged: (feature) => {
        if (feature === "resources") shelf.current.invalidate();
        events.onListChanged(feature);
      },
      onNotification: (notification, sessionKey) => {
        if (notification.method === "notifications/resources/updated") {
          const uri = notification.params?.["uri"];
          shelf.current.invalidate(typeof uri === "string" ? uri : undefined);
        }
        events.onNotification(notification, sessionKey);
      },
    };
    return new CachingUpstream(spec, store, shelf, inner(spec, heard, earlier));
  };
}

/** The shelf of an upstream for as long as it is what it was found to be: whoever reconnects may have missed a change, and may be another server. */
class Shelves {
  readonly #store: AnswerStore;
  #facts: UpstreamFacts | undefined;
  #current: AnswerShelf;

  constructor(store: AnswerStore) {
    this.#store = store;
    this.#current = store.shelf();
  }

  get current(): AnswerShelf {
    return this.#current;
  }

  for(facts: UpstreamFacts): AnswerShelf {
    if (facts === this.#facts) return this.#current;
    this.#current.end();
    this.#facts = facts;
    this.#current = this.#store.shelf();
    return this.#current;
  }
}

class CachingUpstream implements Upstream {
  readonly #spec: ConnectorSpec;
  readonly #store: AnswerStore;
  readonly #shelves: Shelves;
  readonly #inner: Upstream;

  constructor(spec: ConnectorSpec, store: AnswerStore, shelves: Shelves, inner: Upstream) {
    this.#spec = spec;
    this.#store = store;
    this.#shelves = shelves;
    this.#inner = inner;
  }

  get facts(): UpstreamFacts | undefined {
    return this.#inner.facts;
  }

  get hearsChanges(): boolean {
    return this.#inner.hearsChanges;
  }

  send(call: UpstreamCall, sink: ReadySink): Exchange {
    if (call.method !== CACHEABLE || this.#store.isOff) return this.#inner.send(call, sink);
    const { facts } = this.#inner;
    const wanted = facts === undefined ? undefined : this.#wanted(call, facts);
    if (facts === undefined || wanted === undefined) return this.#inner.send(call, sink);
    const shelf = this.#shelves.for(facts);
    const found = shelf.find(wanted);
    if (found === undefined) {
      this.#store.observer.cacheMiss();
      return this.#ask(call, sink, shelf, wanted);
    }
    this.#store.observer.cacheHit();
    sink.sendResult(call.id, encodeKept(found.answer, call.caller.era, found.ttlMs));
    return ANSWERED;
  }

  connect(): Promise<void> {
    return this.#inner.connect();
  }

  list(kind: ListKind): Promise<UpstreamList> {
    return this.#inner.list(kind);
  }

  subscribe(uri: string): Promise<void> {
    return this.#inner.subscribe(uri);
  }

  unsubscribe(uri: string): Promise<void> {
    return this.#inner.unsubscribe(uri);
  }

  setLogLevel(level: LogLevel): void {
    this.#inner.setLogLevel(level);
  }

  callTool(name: string, args: JsonObject, options?: { readonly signal?: AbortSignal }): Promise<JsonObject> {
    return this.#inner.callTool(name, args, options);
  }

  tellOfClient(sessionKey: string, notification: JsonRpcNotification): void {
    this.#inner.tellOfClient?.(sessionKey, notification);
  }

  endSession(sessionKey: string): void {
    this.#inner.endSession(sessionKey);
  }

  dispose(): Promise<void> {
    this.#shelves.current.end();
    return this.#inner.dispose();
  }

  retire(graceMs: number, why: string): Promise<void> {
    this.#shelves.current.end();
    return this.#inner.retire(graceMs, why);
  }

  #ask(call: UpstreamCall, sink: ReadySink, shelf: AnswerShelf, wanted: Wanted): Exchange {
    const fill = shelf.fill(wanted);
    const exchange = this.#inner.send(call, new KeepingSink(sink, call.id, fill));
    return {
      cancel: (reason) => {
        fill.end();
        exchange.cancel(reason);
      },
      resume: () => {
        exchange.resume();
      },
    };
  }

  /** Only modern upstreams say what may be kept. `Mcp-Param-*` headers that a client added may mean anything to them. */
  #wanted({ params, caller, paramHeaders }: UpstreamCall, facts: UpstreamFacts): Wanted | undefined {
    if (facts.era !== "modern") return undefined;
    for (const _ in paramHeaders) return undefined;
    const asked = paramsForUpstream(params, caller, facts);
    const digest = requestDigest(asked);
    const { uri } = asked;
    if (digest === undefined || typeof uri !== "string") return undefined;
    return { digest, uri, owner: this.#ownerOf(caller), isShared: !this.#isIsolated };
  }

  get #isIsolated(): boolean {
    return this.#spec.transport.kind === "stdio" && this.#spec.isolation !== "shared";
  }

  /** As the upstream tells callers apart; a modern one over HTTP knows no sessions. */
  #ownerOf({ principal, sessionKey }: Caller): string {
    const isOfSession = this.#isIsolated && this.#spec.isolation === "session" && sessionKey !== undefined;
    return isOfSession ? `session:${sessionKey}` : `principal:${principal}`;
  }
}
