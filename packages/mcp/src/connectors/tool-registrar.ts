import { AsyncLocalStorage } from "node:async_hooks";
import { BRAND, GatewayError, type Logger, type NamePolicy } from "@cortex-os/mcp-core";
import { isJsonObject, type JsonObject } from "@cortex-os/mcp-core/wire";
import type { CatalogPart, CatalogTool, NameCollision } from "../catalog/catalog-part.js";
import type { ToolEntry } from "../catalog/catalog-entry.js";
import { MergedList } from "../catalog/merged-list.js";
import { namedBy } from "../catalog/naming-rule.js";
import { TOOL_SHAPE } from "../catalog/tool-shape.js";

/** Options of a call by a {@link RegistrableTool}'s handler. */
export interface ToolCallOptions {
  /** Cancels the call. */
  readonly signal?: AbortSignal;
}

/** A tool as a {@link ToolRegistry} gets it: the definition with all its members, and the way to call it. */
export interface RegistrableTool {
  /** The public name, made as the catalog makes it (design.md, decision 4). */
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema: JsonObject;
  readonly outputSchema?: JsonObject;
  readonly annotations?: JsonObject;
  /**
   * @returns the `CallToolResult`, also one with `isError`
   * @throws GatewayError UPSTREAM_UNAVAILABLE also when the tool is not offered any more
   */
  readonly handler: (args?: JsonObject, options?: ToolCallOptions) => Promise<JsonObject>;
  readonly metadata: {
    readonly brand: string;
    readonly connectorId: string;
    /** The name the upstream knows. */
    readonly tool: string;
  };
}

/** Where tools are registered (R6). What its methods throw or reject with is logged; a promise is waited for before the same name is touched again. */
export interface ToolRegistry {
  registerTool(tool: RegistrableTool): unknown;
  /** Without it, a tool that is not offered any more stays, and its handler fails. */
  unregisterTool?(name: string): unknown;
}

/** What a {@link ToolRegistrar} works through. */
export interface ToolRegistrarDeps {
  readonly registry: ToolRegistry;
  readonly names: NamePolicy;
  readonly call: (tool: CatalogTool, args: JsonObject, options: ToolCallOptions) => Promise<JsonObject>;
  readonly logger: Logger;
}

/** One task of the registry's. */
interface Task {
  busy: boolean;
}

/** Makes a registry's tools match what the connectors offer: each is registered once, again when it changed, and withdrawn when it went. */
export class ToolRegistrar {
  readonly #deps: ToolRegistrarDeps;
  readonly #tools: MergedList<ToolEntry>;
  /** What handlers look their way up in: a tool may stay in the registry longer than it is offered. */
  #offered: ReadonlyMap<string, CatalogTool> = new Map();
  /** By name, what the registry was given. */
  readonly #registered = new Map<string, string>();
  /** By name, what the registry did not take: not offered again until {@link forgive}, or it changed. */
  readonly #refused = new Map<string, string>();
  readonly #pending = new Map<string, Promise<void>>();
  readonly #task = new AsyncLocalStorage<Task>();
  #knownCollisions = "";
  #round = 0;

  constructor(deps: ToolRegistrarDeps) {
    this.#deps = deps;
    this.#tools = new MergedList("tools", namedBy(deps.names), TOOL_SHAPE);
  }

  /** Registers what these parts offer together, and nothing else. Never throws. */
  apply(parts: readonly CatalogPart[]): void {
    this.#tools.update(parts);
    this.#reportCollisions(this.#tools.collisions);
    this.#offered = new Map(this.#tools.entries.toArray().map((tool) => [tool.name, tool]));
    for (const name of this.#refused.keys()) if (!this.#offered.has(name)) this.#refused.delete(name);
    for (const name of [...this.#registered.keys()]) if (!this.#offered.has(name)) this.#withdraw(name);
    this.offer();
  }

  /** What the registry did not take so far may be offered again. */
  forgive(): void {
    this.#refused.clear();
  }

  /** Offers the registry what it does not have. Never throws. */
  offer(): void {
    this.#round += 1;
    const round = this.#round;
    for (const tool of this.#offered.values()) {
      // The registry may have led back here: then a newer round has done the rest.
      if (this.#round !== round) return;
      this.#offer(tool);
    }
  }

  /** Whether it is the registry who asks, while it deals with what it was given: it must not be made to wait for itself. */
  get isAskedByRegistry(): boolean {
    return this.#task.getStore()?.busy === true;
  }

  /** Resolves when the registry has dealt with all it was given. Never rejects. */
  async whenDone(): Promise<void> {
    await Promise.all(this.#pending.values());
  }

  #offer(tool: CatalogTool): void {
    const { name, connector } = tool;
    const identity = `${connector}\n${tool.tool}\n${tool.json}`;
    const known = this.#registered.get(name);
    if (known === identity || this.#refused.get(name) === identity) return;
    if (known !== undefined) this.#withdraw(name);
    // Withdrawing may have led back here as well.
    if (this.#offered.get(name) !== tool) return;
    this.#registered.set(name, identity);
    const { registry, logger } = this.#deps;
    this.#run(
      name,
      () => registry.registerTool(this.#registrable(tool)),
      (err) => {
        if (this.#registered.get(name) === identity) {
          this.#registered.delete(name);
          this.#refused.set(name, identity);
        }
        logger.warn({ connectorId: connector, tool: name, err }, "Tool could not be registered");
      },
    );
  }

  #withdraw(name: string): void {
    const { registry, logger } = this.#deps;
    if (registry.unregisterTool === undefined) return;
    this.#registered.delete(name);
    this.#run(
      name,
      () => registry.unregisterTool?.(name),
      (err) => {
        logger.warn({ tool: name, err }, "Tool could not be unregistered");
      },
    );
  }

  /** At once, unless the registry is still busy with that name: then after that. */
  #run(name: string, run: () => unknown, onError: (error: unknown) => void): void {
    const before = this.#pending.get(name);
    const task: Task = { busy: true };
    const begin = (): unknown => this.#task.run(task, run);
    let result: unknown;
    try {
      result = before === undefined ? begin() : before.then(begin);
    } catch (error) {
      task.busy = false;
      onError(error);
      return;
    }
    task.busy = isThenable(result);
    if (!isThenable(result)) return;
    const done = Promise.resolve(result)
      .then(() => {}, onError)
      .then(() => {
        task.busy = false;
        if (this.#pending.get(name) === done) this.#pending.delete(name);
      });
    this.#pending.set(name, done);
  }

  #registrable(tool: CatalogTool): RegistrableTool {
    const { name, connector, definition } = tool;
    const { inputSchema } = definition;
    return {
      ...definition,
      name,
      inputSchema: isJsonObject(inputSchema) ? inputSchema : { type: "object" },
      handler: async (args = {}, options = {}) => this.#call(name, args, options),
      metadata: { brand: BRAND, connectorId: connector, tool: tool.tool },
    };
  }

  async #call(name: string, args: JsonObject, options: ToolCallOptions): Promise<JsonObject> {
    const tool = this.#offered.get(name);
    if (tool === undefined) {
      const why = "its connector left the service map, is disabled or does not offer it any more";
      throw new GatewayError("UPSTREAM_UNAVAILABLE", `Tool "${name}" is not available: ${why}`);
    }
    return this.#deps.call(tool, args, options);
  }

  #reportCollisions(collisions: readonly NameCollision[]): void {
    const summary = JSON.stringify(collisions);
    const known = this.#knownCollisions;
    this.#knownCollisions = summary;
    if (summary === known) return;
    for (const { name, claimants } of collisions) {
      this.#deps.logger.warn({ name, claimants }, "Tool name claimed more than once: all of them are refused");
    }
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
