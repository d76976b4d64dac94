import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMetrics, Gateway, registrySource, serveHttp, type GatewayOptions, type HttpFront } from "@cortex-os/mcp";
import {
  systemClock,
  systemMonotonic,
  systemRandom,
  systemTimers,
  type Logger,
  type ServerInfo,
  silentLogger,
} from "@cortex-os/mcp-core";
import { RegistryMemoryCache } from "@cortex-os/mcp-registry";
import { writeFile } from "node:fs/promises";

/** A gateway in this process, in front of real upstreams, served on a free port. */
export interface TestGateway {
  readonly gateway: Gateway;
  readonly front: HttpFront;
  /** The MCP endpoint. */
  readonly url: string;
  /** Replaces the registry file, as a person with an editor would. */
  writeRegistry(servers: readonly ServerInfo[]): Promise<void>;
  close(): Promise<void>;
}

/** Starts a gateway over a registry file in a temporary folder and waits until every connector has settled. */
export async function startTestGateway(
  servers: readonly ServerInfo[],
  options: Partial<Pick<GatewayOptions, "names" | "lists" | "startup">> & { readonly logger?: Logger } = {},
): Promise<TestGateway> {
  const home = await mkdtemp(join(tmpdir(), "cortex-integration-"));
  const path = join(home, "servers.json");
  const writeRegistry = async (entries: readonly ServerInfo[]): Promise<void> => {
    await writeFile(path, JSON.stringify({ servers: entries }));
  };
  await writeRegistry(servers);
  const { logger = silentLogger, ...rest } = options;
  const metrics = createMetrics();
  const cache = new RegistryMemoryCache({ registryPath: path, logger });
  const gateway = new Gateway({
    version: "0.0.0-test",
    sources: [registrySource({ path, cache, logger, timers: systemTimers, onRead: (ok) => metrics.registryRead(ok) })],
    clock: systemClock,
    monotonic: systemMonotonic,
    timers: systemTimers,
    random: systemRandom,
    logger,
    metrics,
    ...rest,
  });
  await gateway.start();
  const front = await serveHttp(gateway, {
    listen: { host: "127.0.0.1", port: 0 },
    logger,
    metrics,
    timers: systemTimers,
  });
  await gateway.settled();
  return {
    gateway,
    front,
    url: front.url,
    writeRegistry,
    close: async () => {
      await front.close();
      await gateway.close();
      await cache.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}
