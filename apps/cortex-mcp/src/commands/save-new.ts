import { connectorSpecOf, type ServerInfo } from "@cortex-os/mcp-core";
import type { Io } from "../io.js";
import type { Registry } from "../registry.js";
import { targetText, transportText } from "../server-text.js";
import { userError } from "../user-error.js";
import { reportChange } from "./change.js";

/**
 * Puts a new entry into the registry and says so.
 *
 * @throws GatewayError USER_INPUT when the name is taken and `force` is not set
 */
export async function saveNew(
  io: Io,
  registry: Registry,
  entry: ServerInfo,
  { force, json }: { readonly force: boolean; readonly json: boolean },
): Promise<number> {
  const name = JSON.stringify(entry.name);
  const outcome = await registry.put(entry, { replace: force });
  if (outcome === "taken") {
    throw userError(`there is a server ${name} already; add --force to replace it, or choose another name`);
  }
  const where = entry.cwd === undefined ? "" : ` in ${entry.cwd}`;
  const { transport } = connectorSpecOf(entry);
  const warning = transport.kind === "unsupported" ? ` It will be down: ${transport.reason}.` : "";
  const text = `${outcome === "added" ? "Added" : "Replaced"} ${name} (${transportText(entry)}: ${targetText(entry)}${where}).${warning}`;
  await reportChange(io, { verb: outcome, text, entry }, json);
  return 0;
}
