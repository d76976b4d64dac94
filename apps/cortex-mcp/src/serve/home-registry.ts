import { RegistryOperations, registrySource, type ConnectorSource, type GatewayMetrics } from "@cortex-os/mcp";
import type { Logger } from "@cortex-os/mcp-core";
import { RegistryMemoryCache } from "@cortex-os/mcp-registry";
import type { SystemPorts } from "../io.js";
import type { StatePaths } from "../state/state-paths.js";
import { within } from "./within.js";

/** What a {@link homeRegistry} is made of. */
export interface HomeRegistryOptions {
  readonly paths: Pick<StatePaths, "registry">;
  readonly system: Pick<SystemPorts, "clock" | "timers">;
  readonly logger: Logger;
  readonly metrics: Pick<GatewayMetrics, "registryRead" | "registryFlushed">;
}

/** The registry of a home in the hands of the gateway that runs there. */
export interface HomeRegistry {
  /** Its servers as connectors. */
  readonly source: ConnectorSource;
  readonly operations: RegistryOperations;
  /** Writes what is not in `servers.json` yet, and lets go of it; after the source is closed. Never rejects, and takes a few seconds at most. */
  close(): Promise<void>;
}

/** How long the last write may take, in milliseconds: the journal has it all anyway. */
const CLOSE_MS = 3_000;

/** Opens the registry of a home; it is read when the source starts, or somebody asks for it first. */
export function homeRegistry({ paths, system, logger, metrics }: HomeRegistryOptions): HomeRegistry {
  const { clock, timers } = system;
  const cache = new RegistryMemoryCache({
    ...{ registryPath: paths.registry, logger, timers, clock },
    onFlush: (durationMs) => {
      metrics.registryFlushed(durationMs === undefined ? undefined : durationMs / 1_000);
    },
  });
  const source = registrySource({
    ...{ path: paths.registry, cache, logger, timers },
    onRead: (ok) => {
      metrics.registryRead(ok);
    },
  });
  const unwritten = (fields: object): void => {
    logger.error({ ...fields, registryPath: paths.registry }, "The registry could not be written at the end");
  };
  return {
    source,
    operations: new RegistryOperations(cache, paths.registry),
    close: () =>
      within(
        CLOSE_MS,
        cache.close().catch((error: unknown) => {
          unwritten({ err: error });
        }),
        timers,
        () => {
          unwritten({ afterMs: CLOSE_MS });
        },
      ),
  };
}
