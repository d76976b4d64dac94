import { isJsonObject, metaOf, progressTokenOf, type JsonObject } from "@cortex-os/mcp-core/wire";
import { CannotAsk } from "../asking/cannot-ask.js";
import type { CallCounters } from "../call-counters.js";
import type { ChannelFeatures } from "../exchange.js";
import type { ListTable } from "../list-table.js";
import { isLogged } from "../log-level.js";
import { notification } from "../notification.js";
import { mirroredParams, type MirroredParam } from "../param-headers.js";
import { CODE, RpcFailure } from "../rpc-failure.js";
import { ToolInputError } from "../tools/args.js";
import { errorResult, type Tool, type ToolContext, type ToolResult } from "../tools/tool.js";
import { listing, type Call, type Feature, type ListOptions, type Method, type Outcome } from "./feature.js";

/** What the tools feature is made of. */
export interface ToolsDeps {
  readonly table: ListTable<Tool>;
  readonly counters: CallCounters;
  readonly lists: ListOptions;
}

/** Tools: listed, and called. */
export class ToolsFeature implements Feature {
  readonly methods: Readonly<Record<string, Method>>;
  readonly #table: ListTable<Tool>;
  readonly #counters: CallCounters;
  /** Worked out once for each tool that is called. */
  readonly #mirrored = new WeakMap<Tool, readonly MirroredParam[]>();

  constructor({ table, counters, lists }: ToolsDeps) {
    this.#table = table;
    this.#counters = counters;
    this.methods = {
      "tools/list": listing(table, "tools", lists),
      "tools/call": async (call) => this.#call(call),
    };
  }

  capabilities({ changes }: ChannelFeatures): JsonObject {
    return { tools: changes ? { listChanged: true } : {} };
  }

  /** The parameters that the schema of the tool of this name mirrors into headers; none when there is no such tool. */
  mirrored(name: unknown): readonly MirroredParam[] {
    const tool = typeof name === "string" ? this.#table.get(name) : undefined;
    if (tool === undefined) return [];
    const known = this.#mirrored.get(tool);
    if (known !== undefined) return known;
    const found = mirroredParams(tool.definition.inputSchema);
    this.#mirrored.set(tool, found);
    return found;
  }

  async #call(call: Call): Promise<Outcome> {
    const { name, arguments: args = {} } = call.params;
    if (typeof name !== "string") throw new RpcFailure(CODE.invalidParams, "name must be a string");
    if (!isJsonObject(args)) throw new RpcFailure(CODE.invalidParams, "arguments must be an object");
    const tool = this.#table.get(name);
    if (tool === undefined) throw new RpcFailure(CODE.invalidParams, `Unknown tool: ${name}`);
    if (tool.counted === false) return { result: await tool.call(args, contextOf(call)) };
    this.#counters.start();
    try {
      return { result: await run(tool, args, contextOf(call)) };
    } finally {
      this.#counters.finish(call.exchange.scope.cancelled);
    }
  }
}

/** Calls the tool; arguments it cannot use become an `isError` result, which a model can act on (tools, Error Handling). */
async function run(tool: Tool, args: JsonObject, context: ToolContext): Promise<ToolResult> {
  try {
    return await tool.call(args, context);
  } catch (error) {
    if (error instanceof ToolInputError) return errorResult(`Invalid arguments: ${error.message}`);
    if (error instanceof CannotAsk) return errorResult(error.message);
    throw error;
  }
}

function contextOf({ params, caller, exchange, ask }: Call): ToolContext {
  const token = progressTokenOf(params);
  return {
    caller,
    ask,
    meta: metaOf(params) ?? {},
    get signal() {
      return exchange.scope.signal;
    },
    disconnect() {
      exchange.disconnect();
    },
    progress(progress, total, message) {
      if (token === undefined) return;
      exchange.notify(
        notification("notifications/progress", {
          progressToken: token,
          progress,
          total,
          ...(message === undefined ? {} : { message }),
        }),
      );
    },
    log(level, data) {
      if (!isLogged(level, caller.logLevel)) return;
      exchange.notify(notification("notifications/message", { level, logger: "fixture", data }));
    },
  };
}
