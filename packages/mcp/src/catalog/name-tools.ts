import type { NamePolicy } from "@cortex-os/mcp-core";
import { isJsonObject, mirroredParams, type JsonObject, type MirroredParam } from "@cortex-os/mcp-core/wire";
import type { CatalogPart, CatalogTool, NameCollision } from "./catalog-part.js";
import type { PageEntry } from "./list-pages.js";
import { nameEntries } from "./name-entries.js";

/** Tools with their public names, and what had to be refused. */
export interface NamedTools {
  /** Sorted by name in code-unit order, so that every replica lists them alike. */
  readonly tools: readonly CatalogTool[];
  readonly collisions: readonly NameCollision[];
}

/** Gives every tool its public name, as {@link nameEntries} does, and reads which parameters its callers mirror into headers. */
export function nameTools(parts: readonly CatalogPart[], policy: NamePolicy): NamedTools {
  const { entries, collisions } = nameEntries(parts, "tools", policy);
  const tools = entries.map(({ own: tool, ...entry }) => {
    const mirrored = mirroredBy(entry.definition, entry.json);
    return { ...entry, tool, ...(mirrored === undefined ? {} : { mirrored }) };
  });
  return { tools, collisions };
}

/**
 * A tool as clients of either era list it. Before 2026-07-28 structured content was an object: a legacy client refuses a whole list for one tool whose
 * `outputSchema` is of something else.
 */
export function toolPageEntry(name: string, json: string, definition: JsonObject): PageEntry {
  const { outputSchema, ...rest } = definition;
  if (!isJsonObject(outputSchema) || outputSchema["type"] === "object") return { id: name, json };
  return { id: name, json, legacyJson: JSON.stringify(rest) };
}

/** The parameters that a tool's callers mirror. An annotation that breaks the rules counts as none: over HTTP clients leave such a tool out, others need not look at it. */
export function mirroredBy({ inputSchema }: JsonObject, json: string): readonly MirroredParam[] | undefined {
  // Hardly any tool has one, and finding a word is much faster than walking a schema.
  if (!json.includes('"x-mcp-header"') || !isJsonObject(inputSchema)) return undefined;
  const read = mirroredParams(inputSchema);
  return read.ok && read.params.length > 0 ? read.params : undefined;
}
