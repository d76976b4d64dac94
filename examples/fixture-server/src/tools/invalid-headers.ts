import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { structuredResult, type Tool } from "./tool.js";

const tool = (what: string, properties: JsonObject): Tool => ({
  definition: {
    name: `invalid-header-${what}`,
    description: "Has an x-mcp-header that breaks the rules: a client has to leave this tool out.",
    inputSchema: { type: "object", properties },
    annotations: { readOnlyHint: true },
  },
  call: (args) => structuredResult({ arguments: args }),
});

const STRING = { type: "string" } as const;

/** Tools that a client of an HTTP server may not offer (2026-07-28, Streamable HTTP, Schema Extension), one for each reason. */
export const invalidHeaders: readonly Tool[] = [
  tool("empty", { a: { ...STRING, "x-mcp-header": "" } }),
  tool("space", { a: { ...STRING, "x-mcp-header": "Two Words" } }),
  tool("line-break", { a: { ...STRING, "x-mcp-header": "Two\r\nLines" } }),
  tool("twice", { a: { ...STRING, "x-mcp-header": "Same" }, b: { ...STRING, "x-mcp-header": "SAME" } }),
  tool("number", { a: { type: "number", "x-mcp-header": "Fraction" } }),
  tool("object", { a: { type: "object", "x-mcp-header": "Whole" } }),
  tool("items", { a: { type: "array", items: { ...STRING, "x-mcp-header": "Each" } } }),
];
