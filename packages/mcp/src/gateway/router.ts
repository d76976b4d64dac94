import { GatewayError, type Monotonic } from "@cortex-os/mcp-core";
import {
  LIST_KINDS,
  LISTS,
  META,
  mirroredMismatch,
  SUPPORTED_REVISIONS,
  type Era,
  type JsonRpcRequest,
  type ListKind,
} from "@cortex-os/mcp-core/wire";
import type { Caller, Exchange } from "@cortex-os/mcp-bridge";
import { entriesOf } from "../catalog/catalog-part.js";
import type { ConnectorDirectory } from "../connectors/connector-directory.js";
import { targetOf, type CallTarget, type FailedTarget, type MissingEntry, type TargetedCall } from "./call-target.js";
import { CAPABILITIES } from "./capabilities.js";
import { ANSWERED, DeferredExchange, type ClientSink } from "./client-sink.js";
import { MeteredSink, type RequestObserver } from "./metered-sink.js";
import type { SessionRequests } from "./session-requests.js";
import type { SessionStore } from "./session-store.js";
import type { Subscriptions } from "./subscriptions.js";

/** One client request with all that is known of where it came from. */
export interface ClientRequest {
  readonly message: JsonRpcRequest;
  readonly caller: Caller;
  /** `mcp-param-*` headers as they came, lower-case names; absent when the client's transport has no headers. */
  readonly paramHeaders?: Readonly<Record<string, string>>;
}

/** What of a router can be set anew while it works. */
export interface RouterSettings {
  /** The key separator when names are prefixed always; lets an unknown tool of a known connector be explained. */
  readonly separator: string | undefined;
  /** Caching hint of `server/discover`, in milliseconds. */
  readonly discoverTtlMs: number;
}

/** What the router works through. */
export interface RouterDeps extends RouterSettings {
  readonly directory: ConnectorDirectory;
  readonly subscriptions: Subscriptions;
  readonly sessions: Pick<SessionStore, "find">;
  readonly sessionRequests: SessionRequests;
  readonly monotonic: Monotonic;
  /** Hears how each request ended. */
  readonly observe: RequestObserver;
  /** Hears of what nobody expected to be thrown. */
  readonly onBug: (error: unknown) => void;
  readonly serverInfo: { readonly name: string; readonly version: string };
}

const EMPTY_RESULT: readonly Buffer[] = [Buffer.from("{}")];

const LIST_METHODS: ReadonlyMap<string, ListKind> = new Map(LIST_KINDS.map((kind) => [LISTS[kind].method, kind]));

/** What the gateway answers for itself, by era: an upstream would take it as said by the gateway. In the other era it is no method. */
const ANSWERED_HERE: Readonly<Record<Era, ReadonlySet<string>>> = {
  modern: new Set(["server/discover", "subscriptions/listen"]),
  legacy: new Set(["ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"]),
};

/** Says where a client's request goes. The message was read, checked and authenticated before; here it meets the catalog. */
export class Router {
  readonly #deps: RouterDeps;
  #separator: string | undefined;
  #discover: readonly Buffer[];

  constructor(deps: RouterDeps) {
    this.#deps = deps;
    this.#separator = deps.separator;
    this.#discover = this.#encodeDiscover(deps.discoverTtlMs);
  }

  /** For requests from now on. */
  reconfigure({ separator, discoverTtlMs }: RouterSettings): void {
    this.#separator = separator;
    this.#discover = this.#encodeDiscover(discoverTtlMs);
  }

  #encodeDiscover(ttlMs: number): readonly Buffer[] {
    const result = {
      resultType: "complete",
      supportedVersions: SUPPORTED_REVISIONS,
      capabilities: CAPABILITIES,
      _meta: { [META.serverInfo]: this.#deps.serverInfo },
      ttlMs,
      cacheScope: "public",
    };
    return [Buffer.from(JSON.stringify(result))];
  }

  /** Answers through `sink`, now or later; never throws. */
  handle(request: ClientRequest, sink: ClientSink): Exchange {
    const { message, caller } = request;
    const { era, sessionKey } = caller;
    const metered = new MeteredSink(sink, { method: message.method, era, sessionKey }, this.#deps);
    return metered.over(this.#safely(metered, () => this.#route(request, metered)));
  }

  /** A bug of ours costs one request and not the process. */
  #safely(sink: ClientSink, begin: () => Exchange): Exchange {
    try {
      return begin();
    } catch (error) {
      this.#deps.onBug(error);
      sink.fail(GatewayError.from(error, "INTERNAL", "The request could not be handled"));
      return ANSWERED;
    }
  }

  #route(request: ClientRequest, sink: MeteredSink): Exchange {
    const { message, caller } = request;
    const kind = LIST_METHODS.get(message.method);
    if (kind !== undefined) return this.#list(kind, request, sink);
    if (!ANSWERED_HERE[caller.era].has(message.method)) return this.#call(request, sink);
    return caller.era === "modern" ? this.#modern(request, sink) : this.#legacy(request, sink);
  }

  #modern({ message }: ClientRequest, sink: ClientSink): Exchange {
    if (message.method === "subscriptions/listen")
      return this.#deps.subscriptions.open(message.id, message.params, sink);
    sink.sendResult(message.id, this.#discover);
    return ANSWERED;
  }

  #legacy({ message, caller }: ClientRequest, sink: ClientSink): Exchange {
    const { sessions, sessionRequests } = this.#deps;
    const { id, method, params } = message;
    const session = caller.sessionKey === undefined ? undefined : sessions.find(caller.sessionKey);
    const answer = (): void => {
      sink.sendResult(id, EMPTY_RESULT);
    };
    try {
      if (method === "ping") answer();
      else if (session === undefined) sink.fail(new GatewayError("INVALID_REQUEST", `${method} needs a session`));
      else if (method === "logging/setLevel") {
        sessionRequests.setLevel(session, params);
        answer();
      } else if (method === "resources/unsubscribe") {
        sessionRequests.unsubscribe(session, params);
        answer();
      } else {
        return this.#whenKnown(sink, () => {
          sessionRequests.subscribe(session, params).then(answer, (error: unknown) => {
            sink.fail(GatewayError.from(error, "INTERNAL", "The resource cannot be subscribed to"));
          });
          return ANSWERED;
        });
      }
    } catch (error) {
      sink.fail(GatewayError.from(error, "INTERNAL", `${method} failed`));
    }
    return ANSWERED;
  }

  #list(kind: ListKind, request: ClientRequest, sink: ClientSink): Exchange {
    return this.#whenKnown(sink, () => {
      this.#listNow(kind, request, sink);
      return ANSWERED;
    });
  }

  /** Begins when the start is over, and sources that are read on demand have been read. */
  #whenKnown(sink: ClientSink, begin: () => Exchange): Exchange {
    const { gate } = this.#deps.directory;
    if (gate.isOpen) return this.#whenFresh(sink, begin);
    return new DeferredExchange(
      (task) => gate.whenOpen(task),
      () => this.#safely(sink, () => this.#whenFresh(sink, begin)),
    );
  }

  /** Begins at once unless a source is read on demand and has to be read first. */
  #whenFresh(sink: ClientSink, begin: () => Exchange): Exchange {
    const freshening = this.#deps.directory.freshen();
    if (freshening === undefined) return begin();
    const defer = (task: () => void): (() => void) => {
      let wanted = true;
      void freshening.then(() => {
        if (wanted) task();
      });
      return () => {
        wanted = false;
      };
    };
    return new DeferredExchange(defer, () => this.#safely(sink, begin));
  }

  #listNow(kind: ListKind, { message, caller }: ClientRequest, sink: ClientSink): void {
    const notReady = this.#deps.directory.notReady();
    if (notReady !== undefined) {
      sink.fail(notReady);
      return;
    }
    const cursor = message.params?.["cursor"];
    const page =
      cursor === undefined || typeof cursor === "string"
        ? this.#deps.directory.catalog.current.page(kind, caller.era, cursor)
        : undefined;
    if (page === undefined) sink.fail(new GatewayError("INVALID_PARAMS", "Invalid cursor: list again from the start"));
    else sink.sendResult(message.id, page);
  }

  #call(request: ClientRequest, sink: MeteredSink): Exchange {
    const { directory } = this.#deps;
    const targeted = this.#targetOf(request);
    if (targeted.ok) {
      const exchange = this.#forward(targeted.target, request, sink);
      directory.follow();
      return exchange;
    }
    const isFinal = targeted.isMalformed === true || (targeted.missing === undefined && directory.gate.isOpen);
    if (isFinal) {
      sink.fail(targeted.error);
      return ANSWERED;
    }
    if (directory.gate.isOpen) return this.#callFresh(request, sink);
    // It may belong to a connector that is about to come up.
    return new DeferredExchange(
      (task) => directory.gate.whenOpen(task),
      () =>
        this.#safely(sink, () => {
          const found = this.#targetOf(request);
          return found.ok ? this.#forward(found.target, request, sink) : this.#callFresh(request, sink);
        }),
    );
  }

  /** What nobody knows yet may be of a connector of a map that has to be fetched first. */
  #callFresh(request: ClientRequest, sink: MeteredSink): Exchange {
    return this.#whenFresh(sink, () => {
      const found = this.#targetOf(request);
      if (found.ok) return this.#forward(found.target, request, sink);
      sink.fail(this.#explained(found));
      return ANSWERED;
    });
  }

  #targetOf({ message: { method, params } }: ClientRequest): TargetedCall {
    return targetOf(this.#deps.directory.catalog.current, method, params, this.#sole);
  }

  readonly #sole = (): string | undefined => {
    const [only, ...others] = this.#deps.directory.connectors.filter(({ spec }) => !spec.disabled);
    return others.length === 0 ? only?.key : undefined;
  };

  #forward(
    { connector, params, mirrored }: CallTarget,
    { message, caller, paramHeaders }: ClientRequest,
    sink: MeteredSink,
  ): Exchange {
    const upstream = this.#deps.directory.find(connector)?.upstream;
    if (upstream === undefined) {
      sink.fail(new GatewayError("TOOL_UNKNOWN", `Connector "${connector}" is not there any more: list again`));
      return ANSWERED;
    }
    const { id, method } = message;
    if (mirrored !== undefined && paramHeaders !== undefined) {
      const mismatch = mirroredMismatch(mirrored, paramHeaders, params?.["arguments"]);
      if (mismatch !== undefined) {
        sink.fail(new GatewayError("HEADER_MISMATCH", `Header mismatch: ${mismatch}`));
        return ANSWERED;
      }
    }
    sink.forwardedTo(connector);
    const call = { id, method, params, caller, ...(paramHeaders === undefined ? {} : { paramHeaders }) };
    return upstream.send(call, sink);
  }

  /** A tool nobody knows, or one of a connector that has not come up and could not be listed. */
  unknownTool(name: string): GatewayError {
    const shown = JSON.stringify(name.slice(0, 200));
    return this.#unavailable({ kind: "tool", id: name }) ?? new GatewayError("TOOL_UNKNOWN", `Unknown tool: ${shown}`);
  }

  #explained(targeted: FailedTarget): GatewayError {
    const { error, missing } = targeted;
    return (missing === undefined ? undefined : this.#unavailable(missing)) ?? error;
  }

  /** What is missing because its connector is down: that is another thing than one that does not exist. */
  #unavailable({ kind, id }: MissingEntry): GatewayError | undefined {
    const { directory } = this.#deps;
    const separator = this.#separator;
    if (separator === undefined || kind === "resource") return undefined;
    const list = kind === "tool" ? "tools" : "prompts";
    // One key may begin like another: "a" and "a__b" both fit "a__b__tool".
    const down = directory.connectors.find(
      ({ key, isUp, part }) =>
        id.startsWith(key + separator) && !isUp && (part === undefined || entriesOf(part, list).length === 0),
    );
    if (down === undefined) return undefined;
    const what = `${kind === "tool" ? "Tool" : "Prompt"} ${JSON.stringify(id.slice(0, 200))}`;
    return new GatewayError("UPSTREAM_UNAVAILABLE", `${what} is not available: ${down.describe()}`);
  }
}
