import { numberArg } from "./args.js";
import { structuredResult, type Tool } from "./tool.js";

/** Adds two numbers. */
export const add: Tool = {
  definition: {
    name: "add",
    title: "Add",
    description: "Adds two numbers.",
    inputSchema: {
      type: "object",
      properties: { a: { type: "number" }, b: { type: "number" } },
      required: ["a", "b"],
    },
    outputSchema: { type: "object", properties: { sum: { type: "number" } }, required: ["sum"] },
    annotations: { readOnlyHint: true, idempotentHint: true },
  },
  call: (args) => structuredResult({ sum: numberArg(args, "a") + numberArg(args, "b") }),
};
