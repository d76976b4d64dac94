import { rm } from "node:fs/promises";
import { createMetrics, Gateway, serveHttp, type ConnectorSource, type HttpFront } from "@cortex-os/mcp";
import type { Logger } from "@cortex-os/mcp-core";
import type { Config } from "../config/schema.js";
import type { SystemPorts } from "../io.js";
import { removeGatewayRecord, writeGatewayRecord } from "../state/gateway-file.js";
import type { StatePaths } from "../state/state-paths.js";
import { claimHome } from "./claim-home.js";
import { within } from "./within.js";

/** What a gateway of its own process needs. */
export interface HostOptions {
  readonly version: string;
  readonly config: Config;
  readonly paths: StatePaths;
  readonly sources: readonly ConnectorSource[];
  readonly system: SystemPorts;
  readonly logger: Logger;
  /** Runs when the home is ours and before its sources are read. */
  readonly prepare?: () => Promise<void>;
}

/** A gateway that serves its home: on a TCP port for clients, on the control socket for the command line. */
export interface HostedGateway {
  readonly gateway: Gateway;
  /** The endpoint for clients. */
  readonly url: string;
  /**
   * Ends in good order: no longer ready, calls in flight finish within `config.drainMs`, then children, sockets and the record of the running gateway
   * go. Resolves within 9.5 s whatever hangs. Idempotent.
   */
  stop(): Promise<void>;
}

/** An orderly end takes at most 10 s; what is left is for the process to exit. */
const STOP_MS = 9_500;

/**
 * Opens the endpoint and the control socket, starts the connectors and says in `gateway.json` that it runs. Nothing is left open when it throws.
 *
 * @throws GatewayError USER_INPUT when a gateway of this home is running, or the port is taken
 */
export async function hostGateway(options: HostOptions): Promise<HostedGateway> {
  const { version, config, paths, system, logger } = options;
  const metrics = createMetrics();
  const gateway = new Gateway({
    ...system,
    version,
    sources: options.sources,
    names: config.names,
    lists: config.lists,
    startup: config.startup,
    logger,
    metrics,
  });
  const shared = { timers: system.timers, logger, metrics };
  const fronts: HttpFront[] = [];
  const release = once(async (drainMs: number) => {
    await Promise.all(fronts.map((front) => front.drain(drainMs)));
    await gateway.close();
    await Promise.all(fronts.map((front) => front.close()));
    if (fronts.length < 2) return;
    await removeGatewayRecord(paths.gatewayFile, process.pid);
    await rm(paths.socket, { force: true });
  });
  try {
    const endpoint = await claimHome(paths, async () => {
      const { host, port, allowedHosts, allowedOrigins, limits } = config;
      const front = await serveHttp(gateway, {
        ...shared,
        listen: { host, port },
        allowedHosts,
        allowedOrigins,
        limits,
      });
      fronts.push(front);
      fronts.push(await serveHttp(gateway, { ...shared, listen: { socketPath: paths.socket }, controlApi: true }));
      return front;
    });
    await options.prepare?.();
    await gateway.start();
    await writeGatewayRecord(paths.gatewayFile, { pid: process.pid, url: endpoint.url, version, socket: paths.socket });
    return {
      gateway,
      url: endpoint.url,
      stop: () =>
        within(STOP_MS, release(config.drainMs), system.timers, () => {
          logger.error({ afterMs: STOP_MS }, "Gave up waiting for an orderly end");
        }),
    };
  } catch (error) {
    await release(0);
    throw error;
  }
}

/** Runs `task` for the first caller; later ones wait for the same run. */
function once<A>(task: (argument: A) => Promise<void>): (argument: A) => Promise<void> {
  let running: Promise<void> | undefined;
  return (argument) => (running ??= task(argument));
}
