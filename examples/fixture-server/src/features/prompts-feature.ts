import { isJsonObject, type JsonObject, type JsonValue } from "@cortex-os/mcp-core/wire";
import type { ChannelFeatures } from "../exchange.js";
import type { ListTable } from "../list-table.js";
import type { Prompt, PromptArguments } from "../prompts/prompt.js";
import { CODE, RpcFailure } from "../rpc-failure.js";
import { listing, type Call, type Feature, type ListOptions, type Method, type Outcome } from "./feature.js";

/** Prompts: listed, and filled in. */
export class PromptsFeature implements Feature {
  readonly methods: Readonly<Record<string, Method>>;
  readonly #prompts: ListTable<Prompt>;

  constructor(prompts: ListTable<Prompt>, lists: ListOptions) {
    this.#prompts = prompts;
    this.methods = {
      "prompts/list": listing(prompts, "prompts", lists),
      "prompts/get": async (call) => this.#get(call),
    };
  }

  capabilities({ changes }: ChannelFeatures): JsonObject {
    return { prompts: changes ? { listChanged: true } : {} };
  }

  async #get({ params, ask }: Call): Promise<Outcome> {
    const { name } = params;
    if (typeof name !== "string") throw new RpcFailure(CODE.invalidParams, "name must be a string");
    const prompt = this.#prompts.get(name);
    if (prompt === undefined) throw new RpcFailure(CODE.invalidParams, `Unknown prompt: ${name}`);
    const args = promptArguments(params["arguments"]);
    for (const { name: argument, required } of prompt.definition.arguments ?? []) {
      if (required === true && args[argument] === undefined) {
        throw new RpcFailure(CODE.invalidParams, `Missing required argument: ${argument}`);
      }
    }
    return { result: await prompt.get(args, ask) };
  }
}

/** @throws RpcFailure −32602 unless `value` is missing or an object of strings */
export function promptArguments(value: JsonValue | undefined): PromptArguments {
  const args: Record<string, string> = {};
  if (value === undefined) return args;
  if (!isJsonObject(value)) throw new RpcFailure(CODE.invalidParams, "arguments must be an object");
  for (const [key, argument] of Object.entries(value)) {
    if (typeof argument !== "string") throw new RpcFailure(CODE.invalidParams, `argument ${key} must be a string`);
    args[key] = argument;
  }
  return args;
}
