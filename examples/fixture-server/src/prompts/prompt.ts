import type { JsonObject } from "@cortex-os/mcp-core/wire";
import type { Ask } from "../asking/question.js";

/** What `prompts/list` says about a prompt's argument. */
export interface PromptArgument {
  readonly name: string;
  readonly description?: string;
  readonly required?: boolean;
}

/** What `prompts/list` says about a prompt. */
export interface PromptDefinition {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly arguments?: readonly PromptArgument[];
  readonly _meta?: JsonObject;
}

/** Arguments of a prompt: strings always (prompts, GetPromptRequest). */
export type PromptArguments = Readonly<Record<string, string | undefined>>;

/** What `prompts/get` gives, in the form both eras share. */
export interface PromptResult {
  readonly description?: string;
  readonly messages: readonly JsonObject[];
}

/** One prompt. */
export interface Prompt {
  readonly definition: PromptDefinition;
  get(args: PromptArguments, ask: Ask): PromptResult | Promise<PromptResult>;
  /** All values that `argument` may have, given those of other arguments. */
  valuesOf?(argument: string, context: PromptArguments): readonly string[];
}
