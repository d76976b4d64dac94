import { GatewayError, silentLogger, type ServerInfo } from "@cortex-os/mcp-core";
import { connectorsOf, type ConnectorEntry } from "@cortex-os/protocol";
import { loadConfig } from "../config/load.js";
import type { LiveStatuses } from "../control/live-statuses.js";
import type { Io } from "../io.js";
import { statePaths } from "../state/state-paths.js";
import { oneLine } from "../user-error.js";
import { followMap } from "./follow-map.js";

/** The service map's connectors in the words of the registry. */
export interface MapServers {
  readonly servers: readonly ServerInfo[];
  /** Why there may be more, or more to say of them. */
  readonly problem?: string;
}

/**
 * The connectors of the service map in force, sorted by id: from the map that is kept on disk, and those that only the running gateway knows. Fetches nothing,
 * and never fails: what the registry says can be shown without it.
 */
export async function mapServers(io: Io, live: LiveStatuses): Promise<MapServers> {
  const { servers, problem } = await keptServers(io);
  const ids = new Set(servers.map(({ name }) => name));
  const statuses = live.kind === "known" ? live.statuses.filter(({ source }) => source === "map") : [];
  const others = statuses
    .filter(({ key }) => !ids.has(key))
    .map(({ key }): ServerInfo => ({ name: key, transport: "http" }));
  const all = [...servers, ...others].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  // What the gateway itself says needs no file.
  return problem === undefined || live.kind === "known" ? { servers: all } : { servers: all, problem };
}

async function keptServers(io: Io): Promise<MapServers> {
  const paths = statePaths(io.env);
  try {
    const config = await loadConfig({ file: paths.config, fileRequired: false, env: io.env, cwd: io.cwd, flags: {} });
    const map = await followMap({ io, paths, config, logger: silentLogger, onDemand: true });
    if (map === undefined) return { servers: [] };
    const { follower, source } = map;
    await follower.load();
    const payload = follower.inForce;
    const { state } = follower.status();
    // It holds nothing: no timer runs and nothing is fetched on demand only.
    await source.close();
    if (payload !== undefined) return { servers: connectorsOf(payload).map(serverOf) };
    return { servers: [], problem: `${state === "expired" ? EXPIRED : NEVER}; cortex-mcp serve fetches it` };
  } catch (error) {
    if (!GatewayError.is(error)) throw error;
    return { servers: [], problem: oneLine(error.message) };
  }
}

const NEVER = "the service map has not been fetched yet";
const EXPIRED = "the service map has expired";

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
