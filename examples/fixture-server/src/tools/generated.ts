import { stringArg } from "./args.js";
import { structuredResult, type Tool } from "./tool.js";

/** `count` more tools with schemas of a usual size, named `extra_00000` and on: what a list of many tools looks like. */
export function generatedTools(count: number): Tool[] {
  return Array.from({ length: count }, (_, index) => generatedTool(`extra_${String(index).padStart(5, "0")}`));
}

const generatedTool = (name: string): Tool => ({
  definition: {
    name,
    title: `Extra ${name.slice(-5)}`,
    description: `One of many: looks a record up in the imaginary table ${name} and answers with the query itself.`,
    inputSchema: {
      type: "object",
      properties: {
        query: { type: "string", description: "What to look for." },
        limit: { type: "integer", minimum: 1, maximum: 100, default: 10, description: "How many at most." },
      },
      required: ["query"],
    },
    annotations: { readOnlyHint: true },
  },
  call: (args) => structuredResult({ table: name, query: stringArg(args, "query") }),
});
