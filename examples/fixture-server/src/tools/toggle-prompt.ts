import type { ListTable } from "../list-table.js";
import type { Prompt } from "../prompts/prompt.js";
import { toggling } from "./toggling.js";
import type { Tool } from "./tool.js";

/** Adds a prompt to `table` at run time or takes one away that it added. */
export const togglePrompt = (table: ListTable<Prompt>): Tool =>
  toggling({
    tool: "toggle-prompt",
    thing: "prompt",
    table,
    keyOf: (name) => name,
    create: (name) => ({
      definition: { name, description: "Came at run time, by the tool toggle-prompt." },
      get: () => ({ messages: [{ role: "user", content: { type: "text", text: `this is ${name}` } }] }),
    }),
  });
