import { stringArg } from "./args.js";
import type { Tool } from "./tool.js";

const schema = { type: "object", properties: { message: { type: "string" } }, required: ["message"] } as const;

/** Gives its message back: the smallest useful call, and the one benchmarks make. */
export const echo: Tool = {
  definition: {
    name: "echo",
    title: "Echo",
    description: "Gives the message back, as text and as structured content.",
    inputSchema: schema,
    outputSchema: schema,
    annotations: { readOnlyHint: true, idempotentHint: true },
  },
  call(args) {
    const message = stringArg(args, "message");
    return { content: [{ type: "text", text: message }], structuredContent: { message } };
  },
};
