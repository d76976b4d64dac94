import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { structuredResult, type Tool } from "../tools/tool.js";

/** The words of a condition. An object must not look like a promise in the source, which has a `then` as well. */
const conditional = (...parts: readonly [JsonObject, JsonObject, JsonObject]): JsonObject =>
  Object.fromEntries(["if", "then", "else"].map((word, index) => [word, parts[index]]));

/** A schema of many words (JSON Schema 2020-12): whoever passes it on must leave them all in (SEP-1613, SEP-2106). */
export const schemaTool: Tool = {
  definition: {
    name: "json_schema_2020_12_tool",
    description: "Has an input schema that uses much of JSON Schema 2020-12; gives its arguments back.",
    inputSchema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      $defs: {
        address: {
          $anchor: "addressDef",
          type: "object",
          properties: { street: { type: "string" }, city: { type: "string" } },
        },
      },
      properties: {
        name: { type: "string" },
        address: { $ref: "#/$defs/address" },
        contactMethod: { type: "string", enum: ["phone", "email"] },
        phone: { type: "string" },
        email: { type: "string" },
      },
      allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
      ...conditional(
        { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
        { required: ["phone"] },
        { required: ["email"] },
      ),
      additionalProperties: false,
    },
  },
  call: (args) => structuredResult(args),
};
