import { GatewayError, type Monotonic } from "@cortex-os/mcp-core";
import { META, mirroredMismatch, SUPPORTED_REVISIONS, type JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import type { Caller, Exchange } from "@cortex-os/mcp-bridge";
import { entriesOf, type CatalogPart, type CatalogTool } from "../catalog/catalog-part.js";
import type { ConnectorDirectory } from "../connectors/connector-directory.js";
import { ANSWERED, DeferredExchange, type ClientSink } from "./client-sink.js";
import { MeteredSink, type RequestObserver } from "./metered-sink.js";
import type { Subscriptions } from "./subscriptions.js";

/** One client request with all that is known of where it came from. */
export interface ClientRequest {
  readonly message: JsonRpcRequest;
  readonly caller: Caller;
  /** `mcp-param-*` headers as they came, lower-case names; absent when the client's transport has no headers. */
  readonly paramHeaders?: Readonly<Record<string, string>>;
}

/** What the router works through. */
export interface RouterDeps {
  readonly directory: ConnectorDirectory;
  readonly subscriptions: Subscriptions;
  readonly monotonic: Monotonic;
  /** Hears how each request ended. */
  readonly observe: RequestObserver;
  readonly serverInfo: { readonly name: string; readonly version: string };
  /** The key separator when names are prefixed always; lets an unknown tool of a known connector be explained. */
  readonly separator: string | undefined;
  /** Caching hint of `server/discover`, in milliseconds. */
  readonly discoverTtlMs: number;
}

/** What the gateway can do for a client, in `initialize` and `server/discover` alike. */
export const CAPABILITIES = { tools: { listChanged: true } } as const;

const EMPTY_RESULT: readonly Buffer[] = [Buffer.from("{}")];

/** Says where a client's request goes. The message was read, checked and authenticated before; here it meets the catalog. */
export class Router {
  readonly #deps: RouterDeps;
  readonly #discover: readonly Buffer[];

  constructor(deps: RouterDeps) {
    this.#deps = deps;
    const result = {
      resultType: "complete",
      supportedVersions: SUPPORTED_REVISIONS,
      capabilities: CAPABILITIES,
      _meta: { [META.serverInfo]: deps.serverInfo },
      ttlMs: deps.discoverTtlMs,
      cacheScope: "public",
    };
    this.#discover = [Buffer.from(JSON.stringify(result))];
  }

  /** Answers through `sink`, now or later; never throws. */
  handle(request: ClientRequest, sink: ClientSink): Exchange {
    const { message, caller } = request;
    const { monotonic, observe } = this.#deps;
    const metered = new MeteredSink(sink, { method: message.method, era: caller.era }, monotonic, observe);
    return metered.over(this.#route(request, metered));
  }

  #route(request: ClientRequest, sink: MeteredSink): Exchange {
    const { message, caller } = request;
    switch (message.method) {
      case "tools/call":
        return this.#call(request, sink);
      case "tools/list":
        return this.#list(request, sink);
      case "server/discover":
        if (caller.era === "legacy") break;
        sink.sendResult(message.id, this.#discover);
        return ANSWERED;
      case "subscriptions/listen":
        if (caller.era === "legacy") break;
        return this.#deps.subscriptions.open(message.id, message.params, sink);
      case "ping":
        if (caller.era === "modern") break;
        sink.sendResult(message.id, EMPTY_RESULT);
        return ANSWERED;
    }
    sink.fail(new GatewayError("METHOD_UNKNOWN", `Method not found: ${message.method.slice(0, 100)}`));
    return ANSWERED;
  }

  #list(request: ClientRequest, sink: ClientSink): Exchange {
    const { gate } = this.#deps.directory;
    if (gate.isOpen) return this.#listFresh(request, sink);
    return new DeferredExchange(
      (task) => gate.whenOpen(task),
      () => this.#listFresh(request, sink),
    );
  }

  #listFresh(request: ClientRequest, sink: ClientSink): Exchange {
    return this.#whenFresh(() => {
      this.#listNow(request, sink);
      return ANSWERED;
    });
  }

  /** Begins at once unless a source is read on demand and has to be read first. */
  #whenFresh(begin: () => Exchange): Exchange {
    const freshening = this.#deps.directory.freshen();
    if (freshening === undefined) return begin();
    return new DeferredExchange((task) => {
      let wanted = true;
      void freshening.then(() => {
        if (wanted) task();
      });
      return () => {
        wanted = false;
      };
    }, begin);
  }

  #listNow({ message, caller }: ClientRequest, sink: ClientSink): void {
    const notReady = this.#deps.directory.notReady();
    if (notReady !== undefined) {
      sink.fail(notReady);
      return;
    }
    const cursor = message.params?.["cursor"];
    const page =
      cursor === undefined || typeof cursor === "string"
        ? this.#deps.directory.catalog.current.page(caller.era, cursor)
        : undefined;
    if (page === undefined) sink.fail(new GatewayError("INVALID_PARAMS", "Invalid cursor: list again from the start"));
    else sink.sendResult(message.id, page);
  }

  #call(request: ClientRequest, sink: MeteredSink): Exchange {
    const name = request.message.params?.["name"];
    if (typeof name !== "string") {
      sink.fail(new GatewayError("INVALID_PARAMS", "params.name must be the name of a tool"));
      return ANSWERED;
    }
    const { directory } = this.#deps;
    const tool = directory.catalog.current.find(name);
    if (tool !== undefined) {
      const exchange = this.#forward(tool, request, sink);
      directory.follow();
      return exchange;
    }
    if (directory.gate.isOpen) return this.#callFresh(name, request, sink);
    // The tool may belong to a connector that is about to come up.
    return new DeferredExchange(
      (task) => directory.gate.whenOpen(task),
      () => this.#callFresh(name, request, sink),
    );
  }

  /** A tool that nobody knows yet may be one of a map that has to be fetched first. */
  #callFresh(name: string, request: ClientRequest, sink: MeteredSink): Exchange {
    const { catalog } = this.#deps.directory;
    const known = catalog.current.find(name);
    if (known !== undefined) return this.#forward(known, request, sink);
    return this.#whenFresh(() => {
      const found = catalog.current.find(name);
      if (found !== undefined) return this.#forward(found, request, sink);
      sink.fail(this.unknownTool(name));
      return ANSWERED;
    });
  }

  #forward(tool: CatalogTool, { message, caller, paramHeaders }: ClientRequest, sink: MeteredSink): Exchange {
    const upstream = this.#deps.directory.find(tool.connector)?.upstream;
    if (upstream === undefined) {
      sink.fail(this.unknownTool(tool.name));
      return ANSWERED;
    }
    const { id, method, params } = message;
    if (tool.mirrored !== undefined && paramHeaders !== undefined) {
      const mismatch = mirroredMismatch(tool.mirrored, paramHeaders, params?.["arguments"]);
      if (mismatch !== undefined) {
        sink.fail(new GatewayError("HEADER_MISMATCH", `Header mismatch: ${mismatch}`));
        return ANSWERED;
      }
    }
    sink.forwardedTo(tool.connector);
    const call = {
      id,
      method,
      params: tool.tool === tool.name ? params : { ...params, name: tool.tool },
      caller,
      ...(paramHeaders === undefined ? {} : { paramHeaders }),
    };
    return upstream.send(call, sink);
  }

  /** A tool nobody knows, or one of a connector that has not come up and could not be listed. */
  unknownTool(name: string): GatewayError {
    const shown = JSON.stringify(name.slice(0, 200));
    const down = this.#downConnectorOf(name);
    if (down === undefined) return new GatewayError("TOOL_UNKNOWN", `Unknown tool: ${shown}`);
    return new GatewayError("UPSTREAM_UNAVAILABLE", `Tool ${shown} is not available: ${down}`);
  }

  #downConnectorOf(name: string): string | undefined {
    const { separator, directory } = this.#deps;
    if (separator === undefined) return undefined;
    // One key may begin like another: "a" and "a__b" both fit "a__b__tool".
    return directory.connectors
      .find(({ key, isUp, part }) => name.startsWith(key + separator) && !isUp && toolsIn(part) === 0)
      ?.describe();
  }
}

const toolsIn = (part: CatalogPart | undefined): number => (part === undefined ? 0 : entriesOf(part, "tools").length);
