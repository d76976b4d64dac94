import { structuredResult, type Tool } from "../tools/tool.js";

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
      if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
      // oxlint-disable-next-line unicorn/no-thenable -- a word of JSON Schema; nobody awaits a schema
      then: { required: ["phone"] },
      else: { required: ["email"] },
      additionalProperties: false,
    },
  },
  call: (args) => structuredResult(args),
};
