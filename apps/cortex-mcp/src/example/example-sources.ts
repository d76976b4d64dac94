import type { ConnectorSource, GatewayMetrics } from "@cortex-os/mcp";
import type { Logger } from "@cortex-os/mcp-core";
import type { Config } from "../config/schema.js";
import type { Io } from "../io.js";
import { openRegistry } from "../registry.js";
import { filteredSource } from "../serve/filtered-source.js";
import { homeRegistry } from "../serve/home-registry.js";
import type { HostedSources } from "../serve/host-gateway.js";
import { followMap, type FollowedMap } from "../service-map/follow-map.js";
import type { StatePaths } from "../state/state-paths.js";
import type { ExamplePlaces } from "./example-entries.js";
import type { ExampleMap, PublishedExample } from "./example-map.js";
import { belongsToExample, exists, isExample, ownsFixture, prepareExample } from "./prepare-example.js";

/** What the example's sources are made of. */
export interface ExampleSourcesOptions {
  readonly io: Io;
  readonly paths: StatePaths;
  readonly places: ExamplePlaces;
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
  /** Without anything of the example's. */
  readonly empty: boolean;
  readonly map: ExampleMap;
}

/** The publisher is in this process: it can be asked often. In milliseconds. */
const FOLLOW_MS = 10_000;

/**
 * Where the connectors of `pnpm start` come from: the registry with the example in it, and a service map: the configured one, else the example's.
 * The home must be this process's.
 *
 * @throws GatewayError USER_INPUT when something that is there cannot be used
 */
export async function exampleSources(options: ExampleSourcesOptions): Promise<HostedSources> {
  const { empty } = options;
  if (!empty) await prepare(options);
  const map = await exampleMapSource(options);
  const registry = homeRegistry({ ...options, system: options.io.system });
  const source = empty ? await withoutExample(registry.source, options.io) : registry.source;
  return { sources: map === undefined ? [source] : [source, map.source], serviceMap: map?.follower, registry };
}

/**
 * The service map of `config` or, when it names none and the example publishes one, the example's.
 *
 * @throws GatewayError USER_INPUT when it is configured without a usable key
 */
export async function exampleMapSource(options: ExampleSourcesOptions): Promise<FollowedMap | undefined> {
  const { io, config, paths, logger, metrics, map } = options;
  if (config.serviceMap.url !== undefined || map.published === undefined)
    return followMap({ io, paths, config, logger, metrics });
  return followExample(options, map.published);
}

async function prepare({ io, paths, places, config, logger, map }: ExampleSourcesOptions): Promise<void> {
  const registry = openRegistry(io);
  const state = {
    registryExists: await exists(paths.registry),
    entries: await registry.all(),
    mapExists: await exists(map.files.manifest),
  };
  await prepareExample(registry, state, places);
  if (config.serviceMap.url !== undefined || !belongsToExample(state) || ownsFixture(state)) return;
  await map.publish(logger);
}

/** With the example's own key and nothing else of this environment's: what is secret there is none of its business. */
async function followExample(
  options: ExampleSourcesOptions,
  { url }: PublishedExample,
): Promise<FollowedMap | undefined> {
  const { io, config, logger, metrics, map } = options;
  const { timeoutMs, maxStaleMs, holdRemovals, refreshSync, refreshIntervalMs } = config.serviceMap;
  const serviceMap = {
    ...{ url, keysFile: map.files.publicKeys, timeoutMs, maxStaleMs, holdRemovals, refreshSync },
    refreshIntervalMs: Math.min(refreshIntervalMs, FOLLOW_MS),
  };
  const paths = { serviceMap: map.files.state };
  const ours = { env: {}, system: io.system };
  const followed = await followMap({ io: ours, paths, config: { serviceMap }, logger, metrics, moves: true });
  await followed?.follower.load();
  // The map of an earlier start has the fixture where it was then, and must not be seen. A failure is logged, and told as the source's problem.
  await followed?.follower.sync(true).catch(() => {});
  return followed;
}

async function withoutExample(source: ConnectorSource, io: Io): Promise<ConnectorSource> {
  const omitted = new Set((await openRegistry(io).all()).filter(isExample).map(({ name }) => name));
  return filteredSource(source, (specs) => specs.filter(({ key }) => !omitted.has(key)));
}
