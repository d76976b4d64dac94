import { z } from "zod";
import { serviceMapResponseSchema } from "./schema.js";

/**
 * The JSON Schema (2020-12) of a signed service map, published as `@cortex-os/protocol/service-map.schema.json`, for publishers and
 * editors. It says all that a schema can; that ids are unique, the signature and the times are checked by `readServiceMap` alone.
 */
export function serviceMapJsonSchema(): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(serviceMapResponseSchema, { target: "draft-2020-12" });
  return { $schema, title: "Signed service map of cortex-mcp", ...rest };
}
