import type { ListTable } from "../list-table.js";
import { authorityOf } from "../resources/authority.js";
import { text } from "../resources/builtin-resources.js";
import type { Resource } from "../resources/resource.js";
import { toggling } from "./toggling.js";
import type { Tool } from "./tool.js";

/** Adds a resource to `table` at run time, at `fixture://<serverName>/toggled/<name>`, or takes one away that it added. */
export function toggleResource(table: ListTable<Resource>, serverName: string): Tool {
  const uriOf = (name: string): string => `${authorityOf(serverName)}/toggled/${encodeURIComponent(name)}`;
  return toggling({
    tool: "toggle-resource",
    thing: "resource",
    table,
    keyOf: uriOf,
    create: (name) => text(uriOf(name), name, `this is ${name}`),
  });
}
