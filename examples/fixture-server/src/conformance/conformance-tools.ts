import type { Timers } from "@cortex-os/mcp-core";
import type { ListTable } from "../list-table.js";
import type { Prompt } from "../prompts/prompt.js";
import type { Tool } from "../tools/tool.js";
import { askingTools } from "./asking-tools.js";
import { contentTools } from "./content-tools.js";
import { inputRequiredTools } from "./input-required-tools.js";
import { loggingTools } from "./logging-tools.js";
import { progressTool } from "./progress-tool.js";
import { reconnectionTool } from "./reconnection-tool.js";
import { schemaTool } from "./schema-tool.js";
import { triggerPromptChange, triggerToolChange } from "./trigger-tools.js";

/** The tools that the official suite calls by name; they go into `tools`. */
export const conformanceTools = (timers: Timers, tools: ListTable<Tool>, prompts: ListTable<Prompt>): Tool[] => [
  ...contentTools,
  ...loggingTools(timers),
  progressTool(timers),
  ...askingTools,
  ...inputRequiredTools,
  reconnectionTool(timers),
  schemaTool,
  triggerToolChange(tools),
  triggerPromptChange(prompts),
];
