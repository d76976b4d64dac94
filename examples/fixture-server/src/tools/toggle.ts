import type { ListTable } from "../list-table.js";
import { toggling } from "./toggling.js";
import { textResult, type Tool } from "./tool.js";

/** Adds a tool to `table` at run time or takes one away that it added. */
export const toggle = (table: ListTable<Tool>): Tool =>
  toggling({
    tool: "toggle",
    thing: "tool",
    table,
    keyOf: (name) => name,
    create: (name) => ({
      definition: {
        name,
        description: "Came at run time, by the tool toggle.",
        inputSchema: { type: "object", additionalProperties: false },
        annotations: { readOnlyHint: true },
      },
      call: () => textResult(`this is ${name}`),
    }),
  });
