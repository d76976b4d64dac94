import type { Changes } from "../changes.js";
import type { ListTable } from "../list-table.js";
import { authorityOf } from "../resources/authority.js";
import type { Resource } from "../resources/resource.js";
import { stringArg, ToolInputError } from "./args.js";
import { textResult, type Tool } from "./tool.js";

/** Says that a resource has another content now, which is true of the counter. */
export const touch = (table: ListTable<Resource>, changes: Changes, serverName: string): Tool => ({
  definition: {
    name: "touch",
    title: "Touch",
    description: "Tells whoever watches the resource of this uri that it was updated; counts the counter up.",
    inputSchema: {
      type: "object",
      properties: { uri: { type: "string", default: `${authorityOf(serverName)}/counter` } },
    },
  },
  call(args) {
    const uri = args["uri"] === undefined ? `${authorityOf(serverName)}/counter` : stringArg(args, "uri");
    const resource = table.get(uri);
    if (resource === undefined) throw new ToolInputError(`${uri} is no resource of the fixture`);
    resource.touch?.();
    changes.tell({ kind: "updated", uri });
    return textResult(`${uri} touched`);
  },
});
