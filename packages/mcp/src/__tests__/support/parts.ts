import type { JsonObject } from "@cortex-os/mcp-core/wire";
import type { CatalogPart, PartList } from "../../catalog/catalog-part.js";

/** A connector's part that holds these tools and nothing else. */
export const partOfTools = (
  key: string,
  tools: readonly JsonObject[],
  hints: Omit<PartList, "entries"> = {},
): CatalogPart => ({ key, lists: { tools: { ...hints, entries: tools } } });
