import { isJsonObject, type JsonObject } from "@cortex-os/mcp-core/wire";
import type { ListTable } from "../list-table.js";
import type { Prompt } from "../prompts/prompt.js";
import type { ResourceTemplate } from "../resources/resource.js";
import { CODE, RpcFailure } from "../rpc-failure.js";
import type { Call, Feature, Method, Outcome } from "./feature.js";
import { promptArguments } from "./prompts-feature.js";

/** How many values an answer may hold (completion, Completion Results). */
const MOST_VALUES = 100;

/** Suggestions for the arguments of prompts and the variables of templates. */
export class CompletionsFeature implements Feature {
  readonly methods: Readonly<Record<string, Method>> = { "completion/complete": (call) => this.#complete(call) };
  readonly #prompts: ListTable<Prompt>;
  readonly #templates: ListTable<ResourceTemplate>;

  constructor(prompts: ListTable<Prompt>, templates: ListTable<ResourceTemplate>) {
    this.#prompts = prompts;
    this.#templates = templates;
  }

  capabilities(): JsonObject {
    return { completions: {} };
  }

  #complete({ params }: Call): Outcome {
    const { ref, argument, context } = params;
    if (!isJsonObject(argument)) throw new RpcFailure(CODE.invalidParams, "argument must be an object");
    const { name, value } = argument;
    if (typeof name !== "string" || typeof value !== "string") {
      throw new RpcFailure(CODE.invalidParams, "argument must have a name and a value, both strings");
    }
    const known = isJsonObject(context) ? context["arguments"] : undefined;
    const all = this.#valuesOf(isJsonObject(ref) ? ref : {}, name, known).filter((each) => each.startsWith(value));
    const values = all.slice(0, MOST_VALUES);
    return { result: { completion: { values, total: all.length, hasMore: all.length > values.length } } };
  }

  #valuesOf(ref: JsonObject, argument: string, context: JsonObject[string]): readonly string[] {
    const { type, name, uri } = ref;
    if (type === "ref/prompt" && typeof name === "string") {
      const prompt = this.#prompts.get(name);
      if (prompt === undefined) throw new RpcFailure(CODE.invalidParams, `Unknown prompt: ${name}`);
      return prompt.valuesOf?.(argument, promptArguments(context)) ?? [];
    }
    if (type === "ref/resource" && typeof uri === "string") {
      const template = this.#templates.get(uri);
      if (template === undefined) throw new RpcFailure(CODE.invalidParams, `Unknown resource template: ${uri}`);
      return template.valuesOf(argument);
    }
    throw new RpcFailure(CODE.invalidParams, "ref must be a ref/prompt with a name or a ref/resource with a uri");
  }
}
