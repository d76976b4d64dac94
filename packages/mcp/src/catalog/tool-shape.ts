import { isJsonObject, mirroredParams, type JsonObject, type MirroredParam } from "@cortex-os/mcp-core/wire";
import { ToolEntry } from "./catalog-entry.js";
import type { EntryShape } from "./encode-claims.js";

/** Tools: named as what they are called by, with the parameters that their callers mirror into headers. */
export const TOOL_SHAPE: EntryShape<ToolEntry> = {
  member: "name",
  legacyOf,
  make: (fields, definition, json) => new ToolEntry(fields, mirroredBy(definition, json)),
};

/**
 * Before 2026-07-28 structured content was an object: a legacy client refuses a whole list for one tool whose `outputSchema` is of something else.
 */
function legacyOf({ outputSchema, ...rest }: JsonObject): JsonObject | undefined {
  return isJsonObject(outputSchema) && outputSchema["type"] !== "object" ? rest : undefined;
}

/** An annotation that breaks the rules counts as none: over HTTP clients leave such a tool out, others need not look at it. */
function mirroredBy({ inputSchema }: JsonObject, json: string): readonly MirroredParam[] | undefined {
  // Hardly any tool has one, and finding a word is much faster than walking a schema.
  if (!json.includes('"x-mcp-header"') || !isJsonObject(inputSchema)) return undefined;
  const read = mirroredParams(inputSchema);
  return read.ok && read.params.length > 0 ? read.params : undefined;
}
