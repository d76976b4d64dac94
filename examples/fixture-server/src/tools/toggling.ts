import type { ListTable, Listed } from "../list-table.js";
import { booleanArg, stringArg, ToolInputError } from "./args.js";
import { textResult, type Tool } from "./tool.js";

const LONGEST_NAME = 128;

/** What a toggling tool is made of. */
export interface Toggling<T extends Listed> {
  /** The tool's own name. */
  readonly tool: string;
  /** What it adds and removes, in one word. */
  readonly thing: string;
  readonly table: ListTable<T>;
  /** Under which key the thing of this name is in the table. */
  readonly keyOf: (name: string) => string;
  readonly create: (name: string) => T;
}

/**
 * A tool that adds something to a list at run time, or takes away what it added. Any name goes, odd ones too: gateways
 * meet them.
 */
export function toggling<T extends Listed>({ tool, thing, table, keyOf, create }: Toggling<T>): Tool {
  const added = new Set<string>();
  return {
    definition: {
      name: tool,
      title: `Toggle a ${thing}`,
      description: `Adds a ${thing} of this name (present: true) or removes it again; the list of ${thing}s changes.`,
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
        if (table.get(keyOf(name)) !== undefined) {
          throw new ToolInputError(`${name} is a ${thing} of the fixture: take another name`);
        }
        added.add(name);
        table.add(create(name));
        return textResult(`${name} added`);
      }
      added.delete(name);
      table.remove(keyOf(name));
      return textResult(`${name} removed`);
    },
  };
}
