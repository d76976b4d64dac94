import type { ListTable } from "./list-table.js";
import type { Prompt } from "./prompts/prompt.js";
import type { Resource, ResourceTemplate } from "./resources/resource.js";
import type { Tool } from "./tools/tool.js";

/** Everything that is listed. */
export interface Tables {
  readonly tools: ListTable<Tool>;
  readonly resources: ListTable<Resource>;
  readonly templates: ListTable<ResourceTemplate>;
  readonly prompts: ListTable<Prompt>;
}
