import type { ConnectorOrigin, ServerInfo } from "@cortex-os/mcp-core";
import { liveStatuses } from "../control/live-statuses.js";
import type { Io } from "../io.js";
import type { Registry } from "../registry.js";
import { mapServers } from "../service-map/map-servers.js";
import { didYouMean } from "../suggest.js";
import { userError } from "../user-error.js";

/** A server, and which of the two sources names it. */
export interface FoundServer {
  readonly entry: ServerInfo;
  readonly source: ConnectorOrigin;
}

/**
 * The server of that name: the registry's or, with none there, the service map's.
 *
 * @throws GatewayError USER_INPUT when there is none, with the name that was probably meant
 */
export async function findServer(io: Io, registry: Registry, name: string): Promise<FoundServer> {
  const own = await registry.all();
  const entry = own.find((candidate) => candidate.name === name);
  if (entry !== undefined) return { entry, source: "registry" };
  const { servers: published } = await mapServers(io, await liveStatuses(io));
  const connector = published.find((candidate) => candidate.name === name);
  if (connector !== undefined) return { entry: connector, source: "map" };
  const names = [...own, ...published].map((candidate) => candidate.name);
  throw userError(
    `there is no server ${JSON.stringify(name)}${didYouMean(name, names) || "; cortex-mcp list shows them"}`,
  );
}

/**
 * The registry's entry of that name, to be changed.
 *
 * @throws GatewayError USER_INPUT when there is none, or only the service map has it: what to do then
 */
export async function findOwnServer(io: Io, registry: Registry, name: string): Promise<ServerInfo> {
  const { entry, source } = await findServer(io, registry, name);
  if (source === "registry") return entry;
  throw userError(
    `${JSON.stringify(name)} comes from the service map, which only its publisher changes; cortex-mcp add ${name} puts a server of yours in its place`,
  );
}
