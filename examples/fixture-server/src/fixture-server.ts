import { systemTimers, type Timers } from "@cortex-os/mcp-core";
import {
  isJsonObject,
  META,
  metaOf,
  MODERN_REVISIONS,
  progressTokenOf,
  type JsonObject,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type JsonRpcResponse,
} from "@cortex-os/mcp-core/wire";
import { CallCounters } from "./call-counters.js";
import type { CallScope } from "./call-scope.js";
import type { Caller } from "./caller.js";
import { isLogged } from "./log-level.js";
import { CODE, RpcFailure } from "./rpc-failure.js";
import { sleep } from "./sleep.js";
import { ToolTable } from "./tool-table.js";
import { ToolInputError } from "./tools/args.js";
import { builtinTools } from "./tools/builtin.js";
import { errorResult, type Tool, type ToolContext, type ToolResult } from "./tools/tool.js";

/** Options that mean the same over HTTP and stdio. */
export interface FixtureServerOptions {
  /** The server's name in `serverInfo`. @default "cortex-fixture" */
  readonly name?: string;
  /** How many generated tools to offer besides the built-in ones. @default 0 */
  readonly extraTools?: number;
  /** Milliseconds to wait before any request is answered. @default 0 */
  readonly delayMs?: number;
  /** Milliseconds to wait, besides those, before `tools/list` is answered. @default 0 */
  readonly listDelayMs?: number;
  /** `ttlMs` of modern lists and of `server/discover`. @default 60_000 */
  readonly ttlMs?: number;
  /** Tools a page. @default 1_000 */
  readonly pageSize?: number;
  /** Ends the process; with it there is a tool `crash`. @default none */
  readonly exit?: () => void;
  /** @default Node's timers */
  readonly timers?: Timers;
}

/** The way back to the client that one request has. */
export interface Exchange {
  readonly scope: CallScope;
  /** Sends a notification ahead of the answer; does nothing once the request is cancelled. */
  notify(notification: JsonRpcNotification): void;
}

/** An answer with the HTTP status it goes out under. */
export interface Answer {
  readonly message: JsonRpcResponse;
  readonly httpStatus: number;
}

/** What the channel to a client can carry besides answers. */
export interface ChannelFeatures {
  /** Whether it can tell that the tools changed. */
  readonly listChanged: boolean;
  /** Whether it can carry log messages. */
  readonly logging: boolean;
}

const VERSION = "1.0.0";
const INSTRUCTIONS =
  "A server for examples and tests: every tool does exactly what its name says, and nothing is kept.";

/** What the server does with one request, whatever transport and era it came by. */
export class FixtureServer {
  readonly tools = new ToolTable();
  readonly calls = new CallCounters();
  readonly #serverInfo: { readonly name: string; readonly version: string };
  readonly #delayMs: number;
  readonly #listDelayMs: number;
  readonly #ttlMs: number;
  readonly #pageSize: number;
  readonly #timers: Timers;

  constructor(options: FixtureServerOptions = {}) {
    this.#serverInfo = { name: options.name ?? "cortex-fixture", version: VERSION };
    this.#delayMs = options.delayMs ?? 0;
    this.#listDelayMs = options.listDelayMs ?? 0;
    this.#ttlMs = options.ttlMs ?? 60_000;
    this.#pageSize = options.pageSize ?? 1_000;
    this.#timers = options.timers ?? systemTimers;
    const { timers, counters, table } = { timers: this.#timers, counters: this.calls, table: this.tools };
    const extraTools = options.extraTools ?? 0;
    table.add(...builtinTools({ timers, counters, table, extraTools, exit: options.exit }));
  }

  /**
   * Answers `request` with what `work` gives or fails with, after the configured delay. Never rejects.
   * @returns `undefined` when the request was cancelled meanwhile: nothing may be sent for it any more
   */
  async answer(
    request: JsonRpcRequest,
    { scope }: Exchange,
    work: () => JsonObject | Promise<JsonObject>,
  ): Promise<Answer | undefined> {
    const { id } = request;
    try {
      const delayMs = this.#delayMs + (request.method === "tools/list" ? this.#listDelayMs : 0);
      if (delayMs > 0) await sleep(this.#timers, delayMs, scope.signal);
      if (scope.cancelled) return undefined;
      const result = await work();
      return scope.cancelled ? undefined : { message: { jsonrpc: "2.0", id, result }, httpStatus: 200 };
    } catch (error) {
      if (scope.cancelled) return undefined;
      const failure = error instanceof RpcFailure ? error : new RpcFailure(CODE.internalError, "Internal error");
      return { message: { jsonrpc: "2.0", id, error: failure.toErrorObject() }, httpStatus: failure.httpStatus };
    }
  }

  /**
   * The result of a modern request whose metadata has been checked.
   * @throws RpcFailure −32601 with HTTP status 404 for a method it does not implement, −32602 for wrong parameters
   */
  async modern(
    request: JsonRpcRequest,
    caller: Caller,
    exchange: Exchange,
    features: ChannelFeatures,
  ): Promise<JsonObject> {
    switch (request.method) {
      case "server/discover":
        return this.#complete({
          supportedVersions: MODERN_REVISIONS,
          capabilities: capabilities(features),
          instructions: INSTRUCTIONS,
          ttlMs: this.#ttlMs,
          cacheScope: "public",
        });
      case "tools/list":
        return this.#complete({ ...this.#page(request), ttlMs: this.#ttlMs, cacheScope: "public" });
      case "tools/call":
        return this.#complete(await this.#call(request, caller, exchange));
      case "subscriptions/listen":
        if (!features.listChanged) throw unknownMethod(request.method);
        await this.#listen(request, exchange);
        return this.#complete({}, { [META.subscriptionId]: request.id });
      default:
        throw unknownMethod(request.method);
    }
  }

  /**
   * The result of a legacy request other than those that change its session.
   * @throws RpcFailure −32601 for a method it does not implement, −32602 for wrong parameters
   */
  async legacy(request: JsonRpcRequest, caller: Caller, exchange: Exchange): Promise<JsonObject> {
    switch (request.method) {
      case "ping":
        return {};
      case "tools/list":
        return asObject(this.#page(request));
      case "tools/call":
        return asObject(await this.#call(request, caller, exchange));
      default:
        throw unknownMethod(request.method);
    }
  }

  /** The result of `initialize` that settles on `protocolVersion`. */
  initializeResult(protocolVersion: string, features: ChannelFeatures): JsonObject {
    return {
      protocolVersion,
      capabilities: capabilities(features),
      serverInfo: this.#serverInfo,
      instructions: INSTRUCTIONS,
    };
  }

  /** What every modern result says besides its own (basic, ResultType and Per-response protocol fields). */
  #complete(result: object, meta: JsonObject = {}): JsonObject {
    return { resultType: "complete", ...result, _meta: { ...meta, [META.serverInfo]: this.#serverInfo } };
  }

  #page(request: JsonRpcRequest): object {
    const cursor = request.params?.["cursor"];
    if (cursor !== undefined && typeof cursor !== "string") {
      throw new RpcFailure(CODE.invalidParams, "cursor must be a string");
    }
    return this.tools.page(cursor, this.#pageSize);
  }

  async #call(request: JsonRpcRequest, caller: Caller, exchange: Exchange): Promise<ToolResult> {
    const name = request.params?.["name"];
    const args = request.params?.["arguments"] ?? {};
    if (typeof name !== "string") throw new RpcFailure(CODE.invalidParams, "name must be a string");
    if (!isJsonObject(args)) throw new RpcFailure(CODE.invalidParams, "arguments must be an object");
    const tool = this.tools.get(name)?.tool;
    if (tool === undefined) throw new RpcFailure(CODE.invalidParams, `Unknown tool: ${name}`);
    if (tool.counted === false) return await tool.call(args, contextOf(request, caller, exchange));
    this.calls.start();
    try {
      return await run(tool, args, contextOf(request, caller, exchange));
    } finally {
      this.calls.finish(exchange.scope.cancelled);
    }
  }

  /** Serves a subscription until the client gives it up or the server stops (subscriptions). */
  async #listen(request: JsonRpcRequest, exchange: Exchange): Promise<void> {
    const filter = request.params?.["notifications"];
    if (!isJsonObject(filter)) throw new RpcFailure(CODE.invalidParams, "notifications must be an object");
    const wanted = filter["toolsListChanged"] === true;
    const meta = { [META.subscriptionId]: request.id };
    exchange.notify(
      notification("notifications/subscriptions/acknowledged", {
        _meta: meta,
        notifications: wanted ? { toolsListChanged: true } : {},
      }),
    );
    const stop = wanted
      ? this.tools.onChanged(() => {
          exchange.notify(notification("notifications/tools/list_changed", { _meta: meta }));
        })
      : undefined;
    await new Promise<void>((resolve) => {
      exchange.scope.onShutDown(resolve);
      exchange.scope.signal.addEventListener("abort", () => {
        resolve();
      });
    });
    stop?.();
  }
}

/** A notification of ours. */
export const notification = (method: string, params?: JsonObject): JsonRpcNotification =>
  params === undefined ? { jsonrpc: "2.0", method } : { jsonrpc: "2.0", method, params };

const unknownMethod = (method: string): RpcFailure =>
  new RpcFailure(CODE.methodNotFound, `Method not found: ${method}`, { httpStatus: 404 });

const capabilities = ({ listChanged, logging }: ChannelFeatures): JsonObject => ({
  tools: listChanged ? { listChanged } : {},
  ...(logging ? { logging: {} } : {}),
});

const asObject = (value: object): JsonObject => ({ ...value });

/** Calls the tool; arguments it cannot use become an `isError` result, which a model can act on (tools, Error Handling). */
async function run(tool: Tool, args: JsonObject, context: ToolContext): Promise<ToolResult> {
  try {
    return await tool.call(args, context);
  } catch (error) {
    if (error instanceof ToolInputError) return errorResult(`Invalid arguments: ${error.message}`);
    throw error;
  }
}

function contextOf(request: JsonRpcRequest, caller: Caller, exchange: Exchange): ToolContext {
  const token = progressTokenOf(request.params);
  return {
    caller,
    meta: metaOf(request.params) ?? {},
    get signal() {
      return exchange.scope.signal;
    },
    progress(progress, total, message) {
      if (token === undefined) return;
      exchange.notify(notification("notifications/progress", { progressToken: token, progress, total, message }));
    },
    log(level, data) {
      if (!isLogged(level, caller.logLevel)) return;
      exchange.notify(notification("notifications/message", { level, logger: "fixture", data }));
    },
  };
}
