import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { byCodeUnits } from "./by-code-units.js";
import { entriesOf, type CatalogPart, type LocatedEntry } from "./catalog-part.js";
import { isOwnUri, ownUri, ownUriTemplate } from "./own-uri.js";

const MEMBER = { resources: "uri", resourceTemplates: "uriTemplate" } as const;

/**
 * Every resource, or every template, under the URI by which clients ask for it: its own, or one that says whose it is when two connectors have the same (design.md,
 * decision 4), or one of them speaks in the name of our addresses. One that a connector lists twice counts once, the first time. Sorted by that URI in code-unit order.
 */
export function locateEntries(
  parts: readonly CatalogPart[],
  kind: "resources" | "resourceTemplates",
): readonly LocatedEntry[] {
  const member = MEMBER[kind];
  const owners = new Map<string, number>();
  const found: { readonly connector: string; readonly own: string; readonly entry: JsonObject }[] = [];
  for (const part of parts) {
    const seen = new Set<string>();
    for (const entry of entriesOf(part, kind)) {
      const own = entry[member];
      if (typeof own !== "string" || own === "" || seen.has(own)) continue;
      seen.add(own);
      owners.set(own, (owners.get(own) ?? 0) + 1);
      found.push({ connector: part.key, own, entry });
    }
  }
  const addressed = kind === "resources" ? ownUri : ownUriTemplate;
  return found
    .map(({ connector, own, entry }) => {
      const uri = owners.get(own) === 1 && !isOwnUri(own) ? own : addressed(connector, own);
      return { uri, connector, own, json: JSON.stringify(uri === own ? entry : { ...entry, [member]: uri }) };
    })
    .toSorted((a, b) => byCodeUnits(a.uri, b.uri));
}
