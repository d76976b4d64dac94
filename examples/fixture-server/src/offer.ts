import type { Timers } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { CallCounters } from "./call-counters.js";
import { Changes } from "./changes.js";
import type { ChannelFeatures } from "./exchange.js";
import { addConformance } from "./conformance/add-conformance.js";
import { CompletionsFeature } from "./features/completions-feature.js";
import type { Feature, Method } from "./features/feature.js";
import { loggingFeature } from "./features/logging-feature.js";
import { PromptsFeature } from "./features/prompts-feature.js";
import { ResourcesFeature } from "./features/resources-feature.js";
import type { Subscribable } from "./features/subscription.js";
import { ToolsFeature } from "./features/tools-feature.js";
import { vendorFeature } from "./features/vendor-feature.js";
import type { FixtureServerOptions } from "./fixture-server-options.js";
import type { Tables } from "./tables.js";
import { ListTable } from "./list-table.js";
import { askPrompt } from "./prompts/ask-prompt.js";
import { greeting } from "./prompts/greeting.js";
import { picture } from "./prompts/picture.js";
import { builtinResources } from "./resources/builtin-resources.js";
import { itemTemplate } from "./resources/item-template.js";
import { builtinTools } from "./tools/builtin.js";

/** Everything that one server offers, put together from its options; it changes at run time, and tells so. */
export class Offer implements Subscribable {
  readonly changes = new Changes();
  readonly calls = new CallCounters();
  readonly tools: ToolsFeature;
  /** `undefined`: this server has none. */
  readonly watchable: ResourcesFeature | undefined;
  readonly prompts: boolean;
  readonly resources: boolean;
  readonly logging: boolean;
  readonly hasResource = (uri: string): boolean => this.watchable?.has(uri) === true;
  readonly #features: readonly Feature[];
  /** A map and no object: a method called "constructor" must find nothing. */
  readonly #methods: ReadonlyMap<string, Method>;

  constructor(options: FixtureServerOptions, name: string, ttlMs: number, timers: Timers) {
    const { resources = true, prompts = true, completions = true, logging = true } = options.features ?? {};
    this.resources = resources;
    this.prompts = prompts;
    this.logging = logging;
    const lists = { pageSize: options.pageSize ?? 1_000, ttlMs };
    const tables = this.#tables();
    fill(tables, { resources, prompts }, options, name);
    tables.tools.add(
      ...builtinTools({
        timers,
        counters: this.calls,
        changes: this.changes,
        serverName: name,
        tools: tables.tools,
        resources: resources ? tables.resources : undefined,
        prompts: prompts ? tables.prompts : undefined,
        logging,
        extraTools: options.extraTools ?? 0,
        invalidHeaders: options.invalidHeaders === true,
        exit: options.exit,
      }),
    );
    if (options.conformance === true) addConformance(tables, timers, name);
    this.tools = new ToolsFeature({ table: tables.tools, counters: this.calls, lists });
    this.watchable = resources ? new ResourcesFeature({ ...tables, lists }) : undefined;
    this.#features = [
      this.tools,
      ...(this.watchable === undefined ? [] : [this.watchable]),
      ...(prompts ? [new PromptsFeature(tables.prompts, lists)] : []),
      ...(completions ? [new CompletionsFeature(tables.prompts, tables.templates)] : []),
      ...(logging ? [loggingFeature] : []),
      vendorFeature,
    ];
    this.#methods = new Map(this.#features.flatMap(({ methods }) => Object.entries(methods)));
  }

  /** What answers `method` in both eras. */
  method(method: string): Method | undefined {
    return this.#methods.get(method);
  }

  /** The `capabilities` towards a client with such a channel. */
  capabilities(channel: ChannelFeatures): JsonObject {
    return Object.fromEntries(this.#features.flatMap((feature) => Object.entries(feature.capabilities(channel))));
  }

  #tables(): Tables {
    const told = (kind: "tools" | "prompts" | "resources") => (): void => {
      this.changes.tell({ kind });
    };
    return {
      tools: new ListTable(({ definition }) => definition.name, told("tools")),
      resources: new ListTable(({ definition }) => definition.uri, told("resources")),
      templates: new ListTable(({ definition }) => definition.uriTemplate, told("resources")),
      prompts: new ListTable(({ definition }) => definition.name, told("prompts")),
    };
  }
}

function fill(
  tables: Tables,
  on: { readonly resources: boolean; readonly prompts: boolean },
  options: FixtureServerOptions,
  name: string,
): void {
  if (on.resources) {
    const { extraResources: extra = 0, commonResources: common = false } = options;
    tables.resources.add(...builtinResources({ name, extra, common }));
    tables.templates.add(itemTemplate(name));
  }
  if (on.prompts) tables.prompts.add(greeting, picture(name), askPrompt);
}
