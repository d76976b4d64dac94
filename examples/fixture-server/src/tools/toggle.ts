import type { ToolTable } from "../tool-table.js";
import { booleanArg, stringArg, ToolInputError } from "./args.js";
import { textResult, type Tool } from "./tool.js";

const LONGEST_NAME = 128;

/** A tool that came at run time. */
const toggled = (name: string): Tool => ({
  definition: {
    name,
    description: "Came at run time, by the tool toggle.",
    inputSchema: { type: "object", additionalProperties: false },
    annotations: { readOnlyHint: true },
  },
  call: () => textResult(`this is ${name}`),
});

/** Adds a tool to `table` at run time or takes one away that it added. Any name goes, odd ones too: gateways meet them. */
export function toggle(table: ToolTable): Tool {
  const added = new Set<string>();
  return {
    definition: {
      name: "toggle",
      title: "Toggle",
      description: "Adds a tool of this name (present: true) or removes it again; the list of tools changes.",
      inputSchema: {
        type: "object",
        properties: {
          name: { type: "string", minLength: 1, maxLength: LONGEST_NAME },
          present: { type: "boolean" },
        },
        required: ["name", "present"],
      },
      annotations: { idempotentHint: true },
    },
    call(args) {
      const name = stringArg(args, "name", LONGEST_NAME);
      const present = booleanArg(args, "present");
      if (name === "") throw new ToolInputError("name must not be empty");
      if (added.has(name) === present) return textResult(`${name} already is as you want it`);
      if (present) {
        if (table.get(name) !== undefined)
          throw new ToolInputError(`${name} is a tool of the fixture: take another name`);
        added.add(name);
        table.add(toggled(name));
        return textResult(`${name} added`);
      }
      added.delete(name);
      table.remove(name);
      return textResult(`${name} removed`);
    },
  };
}
