import type { ListTable, Listed } from "../list-table.js";
import type { Prompt } from "../prompts/prompt.js";
import { textResult, type Tool } from "../tools/tool.js";
import { NO_ARGUMENTS } from "./no-arguments.js";

/** A tool that changes a list each time: what it added it takes away the next time. */
function trigger<T extends Listed>(thing: string, table: ListTable<T>, key: string, create: () => T): Tool {
  return {
    definition: {
      name: `test_trigger_${thing}_change`,
      description: `Changes the list of ${thing}s.`,
      inputSchema: NO_ARGUMENTS,
    },
    call() {
      if (table.get(key) === undefined) table.add(create());
      else table.remove(key);
      return textResult("changed");
    },
  };
}

/** Changes the list of tools. */
export const triggerToolChange = (tools: ListTable<Tool>): Tool =>
  trigger("tool", tools, "test_triggered_tool", () => ({
    definition: { name: "test_triggered_tool", description: "Came by a change.", inputSchema: NO_ARGUMENTS },
    call: () => textResult("I came by a change"),
  }));

/** Changes the list of prompts. */
export const triggerPromptChange = (prompts: ListTable<Prompt>): Tool =>
  trigger("prompt", prompts, "test_triggered_prompt", () => ({
    definition: { name: "test_triggered_prompt", description: "Came by a change." },
    get: () => ({ messages: [{ role: "user", content: { type: "text", text: "I came by a change" } }] }),
  }));
