import {
  createMetrics,
  Gateway,
  type ConnectorSource,
  type GatewayOptions,
  type ServiceMapFollower,
} from "@cortex-os/mcp";
import { connectorSpecOf, silentLogger, type ConnectorSpec } from "@cortex-os/mcp-core";
import { connectorsOf } from "@cortex-os/protocol";
import { loadConfig } from "../config/load.js";
import type { Io } from "../io.js";
import { HomeAuthorizations } from "../oauth/home-authorizations.js";
import { openRegistry } from "../registry.js";
import { filteredSource } from "../serve/filtered-source.js";
import { followMap } from "../service-map/follow-map.js";
import type { StatePaths } from "../state/state-paths.js";
import { programVersion } from "../shipped-files.js";

/**
 * How long a gateway for one command waits for its connectors while none is up, in milliseconds: as long as a slow one may take to start. Once
 * one is up, the others get `startup.maxMs`.
 */
const SETTLE_MS = 60_000;

/**
 * A gateway that lives for one command, not started yet. Closing it ends all it holds.
 *
 * @param tool the only tool that is needed: no other connectors are started than the one it names, and the service map is only asked when
 *   the registry does not have that one
 * @throws GatewayError USER_INPUT when the configuration is refused, REGISTRY_IO when the registry cannot be read
 */
export async function gatewayForOneCommand(io: Io, paths: StatePaths, tool: string | undefined): Promise<Gateway> {
  const config = await loadConfig({ file: paths.config, fileRequired: false, env: io.env, cwd: io.cwd, flags: {} });
  const { names, startup } = config;
  const logger = silentLogger;
  const authorize = new HomeAuthorizations({ io, paths, logger }).of;
  const gatewayOf = (sources: GatewayOptions["sources"]): Gateway =>
    new Gateway({
      ...{ ...io.system, authorize },
      ...{ version: programVersion(), sources, names, logger, metrics: createMetrics() },
      startup: { ...startup, graceMs: startup.maxMs, maxMs: SETTLE_MS },
    });
  const isNamed = (key: string): boolean =>
    names.prefix === "always" && tool?.startsWith(key + names.separator) === true;
  const ofThoseNamed = (specs: readonly ConnectorSpec[]): readonly ConnectorSpec[] =>
    specs.filter(({ key }) => isNamed(key));
  // What is wrong with the registry is told as by every other command. What changes in it later is not this command's.
  const own = (await openRegistry(io).all()).map(connectorSpecOf);
  const named = ofThoseNamed(own);
  if (named.length > 0) return gatewayOf([fixedSource(named)]);
  const registry = fixedSource(own);
  const map = await followMap({ io, paths, config, logger, onDemand: true });
  if (map === undefined) return gatewayOf([registry]);
  const published = await idsInForce(map.follower);
  if (published.some(isNamed)) return gatewayOf([filteredSource(map.source, ofThoseNamed)]);
  return gatewayOf([registry, map.source]);
}

/** Connectors of the registry that stay what they are. */
function fixedSource(specs: readonly ConnectorSpec[]): ConnectorSource {
  let tell = (): void => {};
  return {
    origin: "registry",
    start: async (listener) => {
      tell = () => {
        listener(specs);
      };
      tell();
    },
    reload: async () => {
      tell();
    },
    close: async () => {
      tell = () => {};
    },
  };
}

/**
 * The connectors of the map that is kept, made fresh if it has expired and its publisher answers. With none kept, the gateway's start
 * fetches one.
 */
async function idsInForce(follower: ServiceMapFollower): Promise<readonly string[]> {
  await follower.load();
  if (follower.status().state === "stale") {
    // Until it is gone for good an expired one is served; its source says what is wrong.
    await follower.sync().catch(() => {});
  }
  const { inForce } = follower;
  return inForce === undefined ? [] : connectorsOf(inForce).map(({ id }) => id);
}
