import { GatewayError, type Monotonic } from "@cortex-os/mcp-core";
import {
  LIST_KINDS,
  LISTS,
  mirroredMismatch,
  type Era,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type ListKind,
} from "@cortex-os/mcp-core/wire";
import { ANSWERED, offersRoots, type Caller, type Exchange } from "@cortex-os/mcp-bridge";
import type { ConnectorDirectory } from "../connectors/connector-directory.js";
import type { CallTarget } from "./call-target.js";
import { afterwards, type ClientSink } from "./client-sink.js";
import { MeteredSink, type RequestObserver } from "./metered-sink.js";
import type { Defer, Scope } from "./scope.js";
import type { SessionRequests } from "./session-requests.js";
import type { SessionStore } from "./session-store.js";
import type { Subscriptions } from "./subscriptions.js";

/** One client request with all that is known of where it came from. */
export interface ClientRequest {
  readonly message: JsonRpcRequest;
  readonly caller: Caller;
  /** What the client meets. */
  readonly scope: Scope;
  /** `mcp-param-*` headers as they came, lower-case names; absent when the client's transport has no headers. */
  readonly paramHeaders?: Readonly<Record<string, string>> | undefined;
}

/** What the router works through. */
export interface RouterDeps {
  readonly directory: Pick<ConnectorDirectory, "find" | "follow" | "tellOfClient">;
  readonly subscriptions: Subscriptions;
  readonly sessions: Pick<SessionStore, "find">;
  readonly sessionRequests: SessionRequests;
  readonly monotonic: Monotonic;
  /** Hears how each request ended. */
  readonly observe: RequestObserver;
  /** Hears of what nobody expected to be thrown. */
  readonly onBug: (error: unknown) => void;
}

const EMPTY_RESULT: readonly Buffer[] = [Buffer.from("{}")];

const LIST_METHODS: ReadonlyMap<string, ListKind> = new Map(LIST_KINDS.map((kind) => [LISTS[kind].method, kind]));

/** What the gateway answers for itself, by era: an upstream would take it as said by the gateway. In the other era it is no method. */
const ANSWERED_HERE: Readonly<Record<Era, ReadonlySet<string>>> = {
  modern: new Set(["server/discover", "subscriptions/listen"]),
  legacy: new Set(["ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"]),
};

/** Says where a client's request goes. The message was read, checked and authenticated before; here it meets its scope. */
export class Router {
  readonly #deps: RouterDeps;

  constructor(deps: RouterDeps) {
    this.#deps = deps;
  }

  /** A legacy client says that its roots are others: the upstreams that were told of roots in its session hear it. */
  rootsChanged(caller: Caller, notification: JsonRpcNotification): void {
    const { sessionKey } = caller;
    if (sessionKey !== undefined && offersRoots(caller)) this.#deps.directory.tellOfClient(sessionKey, notification);
  }

  /** Answers through `sink`, now or later; never throws. */
  handle(request: ClientRequest, sink: ClientSink): Exchange {
    const { message, caller, scope } = request;
    const { era, sessionKey } = caller;
    const what = { method: message.method, era, scope: scope.connector, sessionKey };
    const metered = new MeteredSink(sink, what, this.#deps);
    try {
      metered.over(this.#route(request, metered));
    } catch (error) {
      this.#failed(metered, error);
    }
    return metered;
  }

  /** A bug of ours costs one request and not the process. */
  #failed(sink: ClientSink, error: unknown): void {
    this.#deps.onBug(error);
    sink.fail(GatewayError.from(error, "INTERNAL", "The request could not be handled"));
  }

  #safely(sink: ClientSink, begin: () => Exchange): Exchange {
    try {
      return begin();
    } catch (error) {
      this.#failed(sink, error);
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

  #modern({ message, scope }: ClientRequest, sink: ClientSink): Exchange {
    const { id, method, params } = message;
    return this.#after(scope.untilDescribed(), sink, () => {
      if (method === "subscriptions/listen") return this.#deps.subscriptions.open(id, params, sink, scope);
      const description = scope.describe();
      if (GatewayError.is(description)) sink.fail(description);
      else sink.sendResult(id, description.discovered);
      return ANSWERED;
    });
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
        return this.#after(session.scope.untilListed(), sink, () => {
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

  #list(kind: ListKind, request: ClientRequest, sink: MeteredSink): Exchange {
    const { message, caller, scope } = request;
    return this.#after(scope.untilListed(), sink, () => {
      if (!scope.has(kind)) return this.#call(request, sink);
      const page = scope.page(kind, caller.era, message.params?.["cursor"]);
      if (GatewayError.is(page)) sink.fail(page);
      else sink.sendResult(message.id, page.pieces, page);
      return ANSWERED;
    });
  }

  #call(request: ClientRequest, sink: MeteredSink): Exchange {
    const { scope } = request;
    const { method, params } = request.message;
    const targeted = scope.targetOf(method, params);
    if (targeted.ok) {
      const exchange = this.#forward(targeted.target, request, sink);
      this.#deps.directory.follow();
      return exchange;
    }
    const wait = scope.untilTargeted(targeted, method, params);
    if (wait === undefined) {
      sink.fail(scope.explain(targeted));
      return ANSWERED;
    }
    return this.#after(wait, sink, () => {
      const found = scope.targetOf(method, params);
      if (found.ok) return this.#forward(found.target, request, sink);
      sink.fail(scope.explain(found));
      return ANSWERED;
    });
  }

  /** Begins at once unless there is something to wait for. */
  #after(wait: Defer | undefined, sink: ClientSink, begin: () => Exchange): Exchange {
    return wait === undefined ? begin() : afterwards(wait, () => this.#safely(sink, begin));
  }

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
    return upstream.send({ id, method, params, caller, paramHeaders }, sink);
  }
}
