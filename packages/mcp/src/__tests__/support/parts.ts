import type { JsonObject } from "@cortex-os/mcp-core/wire";
import type { CatalogPart, PartList } from "../../catalog/catalog-part.js";

/** A connector's part that holds these tools and nothing else. */
export const partOfTools = (
  key: string,
  tools: readonly JsonObject[],
  hints: Omit<PartList, "entries"> = {},
): CatalogPart => ({ key, lists: { tools: { ...hints, entries: tools } } });

/** A connector's part that holds these resources and templates, and these prompts. */
export const partOfResources = (
  key: string,
  { uris = [], templates = [], prompts = [] }: { uris?: string[]; templates?: string[]; prompts?: string[] },
): CatalogPart => ({
  key,
  lists: {
    resources: { entries: uris.map((uri) => ({ uri, name: uri })) },
    resourceTemplates: { entries: templates.map((uriTemplate) => ({ uriTemplate, name: uriTemplate })) },
    prompts: { entries: prompts.map((name) => ({ name })) },
  },
});
