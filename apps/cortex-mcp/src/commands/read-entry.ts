import type { ServerInfo } from "@cortex-os/mcp-core";
import type { Registry } from "../registry.js";
import { didYouMean } from "../suggest.js";
import { userError } from "../user-error.js";

/**
 * The registry's entry of that name.
 *
 * @throws GatewayError USER_INPUT when there is none, with the name that was probably meant
 */
export async function readEntry(registry: Registry, name: string): Promise<ServerInfo> {
  const entries = await registry.all();
  const entry = entries.find((candidate) => candidate.name === name);
  if (entry !== undefined) return entry;
  const names = entries.map((candidate) => candidate.name);
  throw userError(
    `there is no server ${JSON.stringify(name)}${didYouMean(name, names) || "; cortex-mcp list shows them"}`,
  );
}
