import { shownUrl, type ServiceMapStatus, type ShownConnector } from "@cortex-os/mcp";
import { GatewayError, silentLogger, type ServerInfo } from "@cortex-os/mcp-core";
import { connectorsOf, type ConnectorEntry } from "@cortex-os/protocol";
import { loadConfig } from "../config/load.js";
import type { LiveStatuses } from "../control/live-statuses.js";
import type { Io } from "../io.js";
import { statePaths } from "../state/state-paths.js";
import { oneLine } from "../user-error.js";
import { followMap } from "./follow-map.js";
import { keptTrouble } from "./kept-trouble.js";
import { lastErrorText } from "./map-text.js";

/** The service map's connectors in the words of the registry. */
export interface MapServers {
  readonly servers: readonly ServerInfo[];
  /** Why there may be more, or more to say of them. */
  readonly problem?: string;
}

/**
 * The connectors of the service map, sorted by id: what the running gateway says, also of a map that is too old to be served; with none running, what is kept on disk.
 * Fetches nothing, and never fails: what the registry says can be shown without it.
 */
export async function mapServers(io: Io, live: LiveStatuses): Promise<MapServers> {
  const kept = await keptServers(io);
  const { servers, problem } = live.kind === "known" ? servedServers(live, kept.servers) : kept;
  const sorted = servers.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return problem === undefined ? { servers: sorted } : { servers: sorted, problem };
}

/** What is kept on disk may say more of a connector than the gateway does, as long as it is the same one. */
function servedServers(
  { map, statuses }: Extract<LiveStatuses, { kind: "known" }>,
  kept: readonly ServerInfo[],
): MapServers {
  const named = (map?.connectors ?? []).map((shown) => kept.find((server) => isSame(server, shown)) ?? shownOf(shown));
  const names = new Set(named.map(({ name }) => name));
  const others = statuses
    .filter(({ key, source }) => source === "map" && !names.has(key))
    .map(({ key }): ServerInfo => ({ name: key, transport: "http" }));
  const servers = [...named, ...others];
  if (map?.status.state !== "none") return { servers };
  const why = lastErrorText(map.status);
  return { servers, problem: `none has been accepted yet${why === undefined ? "" : `: ${why}`}` };
}

const isSame = ({ name, version, endpoint = "" }: ServerInfo, shown: ShownConnector): boolean =>
  name === shown.id && version === shown.version && shownUrl(endpoint) === shown.endpoint;

const shownOf = ({ id, name, version, endpoint, status }: ShownConnector): ServerInfo => ({
  ...{ name: id, transport: "http", endpoint, title: name, version },
  ...(status === "disabled" ? { disabled: true } : {}),
});

async function keptServers(io: Io): Promise<MapServers> {
  const paths = statePaths(io.env);
  try {
    const config = await loadConfig({ file: paths.config, fileRequired: false, env: io.env, cwd: io.cwd, flags: {} });
    const map = await followMap({ io, paths, config, logger: silentLogger, onDemand: true });
    if (map === undefined) return { servers: [] };
    const { follower, source } = map;
    await follower.load();
    const payload = follower.inForce;
    const status = follower.status();
    await source.close();
    if (payload !== undefined) return { servers: connectorsOf(payload).map(serverOf) };
    return { servers: [], problem: await problemOf(status, paths.serviceMap) };
  } catch (error) {
    if (!GatewayError.is(error)) throw error;
    return { servers: [], problem: oneLine(error.message) };
  }
}

async function problemOf({ state, id, pinned }: ServiceMapStatus, file: string): Promise<string> {
  if (state !== "expired") {
    const trouble = await keptTrouble(file);
    if (trouble !== undefined) return `${trouble}; cortex-mcp serve fetches it anew`;
    return "the service map has not been fetched yet; cortex-mcp serve fetches it";
  }
  if (pinned === undefined || pinned !== id) return "the service map has expired; cortex-mcp serve fetches it";
  return "the service map is pinned, and too old to be served; cortex-mcp map pin --off follows the newest again";
}

/** Nothing of it is a secret but values of `headers`, which are masked like the registry's. */
function serverOf(entry: ConnectorEntry): ServerInfo {
  const { id, name, version, endpoint, headers, auth, status, description, tags } = entry;
  return {
    ...{ name: id, transport: "http", endpoint, title: name, version, auth },
    ...(headers === undefined ? {} : { headers }),
    ...(status === "disabled" ? { disabled: true } : {}),
    ...(description === undefined ? {} : { description }),
    ...(tags === undefined ? {} : { tags }),
  };
}
