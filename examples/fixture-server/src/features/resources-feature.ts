import type { Era, JsonObject } from "@cortex-os/mcp-core/wire";
import type { ChannelFeatures } from "../exchange.js";
import type { ListTable } from "../list-table.js";
import type { ReadResult, Resource, ResourceTemplate } from "../resources/resource.js";
import { CODE, RpcFailure } from "../rpc-failure.js";
import { listing, type Call, type Feature, type ListOptions, type Method, type Outcome } from "./feature.js";

/** What the resources feature is made of. */
export interface ResourcesDeps {
  readonly resources: ListTable<Resource>;
  readonly templates: ListTable<ResourceTemplate>;
  readonly lists: ListOptions;
}

/** Resources and their templates: listed, read, and watched. */
export class ResourcesFeature implements Feature {
  readonly methods: Readonly<Record<string, Method>>;
  readonly #resources: ListTable<Resource>;
  readonly #templates: ListTable<ResourceTemplate>;
  readonly #ttlMs: number;

  constructor({ resources, templates, lists }: ResourcesDeps) {
    this.#resources = resources;
    this.#templates = templates;
    this.#ttlMs = lists.ttlMs;
    this.methods = {
      "resources/list": listing(resources, "resources", lists),
      "resources/templates/list": listing(templates, "resourceTemplates", lists),
      "resources/read": async (call) => this.#read(call),
    };
  }

  capabilities({ changes }: ChannelFeatures): JsonObject {
    return { resources: changes ? { listChanged: true, subscribe: true } : {} };
  }

  /** Whether there is something to read at `uri`. */
  has(uri: string): boolean {
    return this.#resources.get(uri) !== undefined || this.#fromTemplate(uri) !== undefined;
  }

  /**
   * The URI that a legacy client watches, or no longer.
   * @throws RpcFailure when it is none, or there is nothing at it
   */
  watchable(uri: unknown, era: Era): string {
    if (typeof uri !== "string") throw new RpcFailure(CODE.invalidParams, "uri must be a string");
    if (!this.has(uri)) throw notFound(uri, era);
    return uri;
  }

  async #read({ params, caller, ask }: Call): Promise<Outcome> {
    const { uri } = params;
    if (typeof uri !== "string") throw new RpcFailure(CODE.invalidParams, "uri must be a string");
    const resource = this.#resources.get(uri);
    const result = (await resource?.read(ask)) ?? this.#fromTemplate(uri);
    if (result === undefined) throw notFound(uri, caller.era);
    return { result, caching: { ttlMs: this.#ttlMs, cacheScope: "public", ...resource?.caching } };
  }

  #fromTemplate(uri: string): ReadResult | undefined {
    return this.#templates.find((template) => template.read(uri) !== undefined)?.read(uri);
  }
}

/** Each era has its own code for it (resources, Error Handling). */
const notFound = (uri: string, era: Era): RpcFailure =>
  new RpcFailure(era === "modern" ? CODE.invalidParams : CODE.resourceNotFound, "Resource not found", {
    data: { uri },
  });
