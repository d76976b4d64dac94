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
  const taken = (await registry.all()).some(({ name }) => name === entry.name);
  const name = JSON.stringify(entry.name);
  if (taken && !force) {
    throw userError(`there is a server ${name} already; add --force to replace it, or choose another name`);
  }
  await registry.put(entry);
  const where = entry.cwd === undefined ? "" : ` in ${entry.cwd}`;
  const { transport } = connectorSpecOf(entry);
  const warning = transport.kind === "unsupported" ? ` It will be down: ${transport.reason}.` : "";
  const text = `${taken ? "Replaced" : "Added"} ${name} (${transportText(entry)}: ${targetText(entry)}${where}).${warning}`;
  await reportChange(io, { verb: taken ? "replaced" : "added", text, entry }, json);
  return 0;
}
