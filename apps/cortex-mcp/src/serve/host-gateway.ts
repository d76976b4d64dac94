import {
  createMetrics,
  fileCatalogStore,
  Gateway,
  probePort,
  serveHttp,
  type ConnectorSource,
  type GatewayMetrics,
  type GatewayOptions,
  type HttpFront,
  type ServeHttpOptions,
  type ServiceMapFollower,
} from "@cortex-os/mcp";
import type { Logger } from "@cortex-os/mcp-core";
import type { LiveConfig } from "../config/live-config.js";
import type { Config } from "../config/schema.js";
import type { SystemPorts } from "../io.js";
import {
  readGatewayRecord,
  removeGatewayRecord,
  writeGatewayRecord,
  type GatewayRecord,
} from "../state/gateway-file.js";
import type { StatePaths } from "../state/state-paths.js";
import { claimHome, leaveHome } from "./claim-home.js";
import { openControlSocket, type ControlSocket } from "./control-socket.js";
import type { HomeRegistry } from "./home-registry.js";
import { orAborted } from "./or-aborted.js";
import { within } from "./within.js";

/** Where a gateway's connectors come from. */
export interface HostedSources {
  readonly sources: readonly ConnectorSource[];
  /** The service map behind one of the sources, for status and metrics. */
  readonly serviceMap?: ServiceMapFollower | undefined;
  /** The registry that the command line changes through this gateway, behind another one of the sources. */
  readonly registry?: Pick<HomeRegistry, "operations" | "close">;
  /** What authorises the requests to them beside headers. */
  readonly authorize?: GatewayOptions["authorize"];
}

/** What a gateway of its own process needs. */
export interface HostOptions {
  readonly version: string;
  readonly config: Config;
  readonly paths: StatePaths;
  /** Runs when the home is ours, and nobody else can claim it; whatever has to be there before the sources are read is made here. */
  readonly sources: () => Promise<HostedSources>;
  /** @default fresh ones, with this process's */
  readonly metrics?: GatewayMetrics;
  readonly system: SystemPorts;
  readonly logger: Logger;
  /** Where `config` came from: followed while the gateway runs. @default it is fixed */
  readonly configuration?: LiveConfig;
  /** Calls the start off. */
  readonly signal: AbortSignal;
}

/** A gateway that serves its home on the control socket: the command line, and clients that a relay brings. */
export interface HostedGateway {
  readonly gateway: Gateway;
  /** Resolves as soon as no relay brings a client. */
  unrelayed(): Promise<void>;
  /**
   * Ends in good order: no longer ready, calls in flight finish within `config.drainMs` or are told that they will not, then children, the record of the
   * running gateway and, last of all, the control socket go: until then the home is ours. Resolves within 9.5 s whatever hangs. Idempotent.
   *
   */
  stop(plan?: StopPlan): Promise<void>;
}

/** How a gateway is to end. */
export interface StopPlan {
  /** Instead of `config.drainMs`. */
  readonly drainMs?: number;
  /** It makes room for one with a URL: relays wait for that one, and none of them takes the home. @default false */
  readonly hasSuccessor?: boolean;
}

/** A gateway that serves clients on a TCP port, too. */
export interface ServedGateway extends HostedGateway {
  /** The endpoint for clients. */
  readonly url: string;
}

/** What is to be released. */
interface Opened {
  gateway?: Gateway;
  registry?: Pick<HomeRegistry, "close"> | undefined;
  configuration?: LiveConfig;
  endpoint?: HttpFront;
  control?: ControlSocket;
  record?: GatewayRecord;
}

/** An orderly end takes at most 10 s; what is left is for the process to exit. */
export const STOP_MS = 9_500;

/**
 * Opens the endpoint and the control socket, starts the connectors and says in `gateway.json` that it runs. Nothing is left open when it throws.
 *
 * @throws GatewayError USER_INPUT when a gateway of this home is running, or the port is taken; the reason of `signal`
 */
export async function hostGateway(options: HostOptions): Promise<ServedGateway> {
  const { host, port, allowedHosts, allowedOrigins, limits, streams, legacySse } = options.config;
  const { endpoint, ...hosted } = await open(options, {
    // Who is asked to give up the home should not have done so for nothing.
    outranks: () => probePort(host, port),
    openEndpoint: (listen) =>
      listen({ listen: { host, port }, allowedHosts, allowedOrigins, limits, streams, legacySse }),
  });
  return { ...hosted, url: endpoint.url };
}

/**
 * {@link hostGateway} for relays alone: without an endpoint that others could reach.
 *
 * @param onYield one with a URL wants the home, and waits until the time that is handed over, in milliseconds since the epoch; called as soon as this one can be
 *   reached, and perhaps more than once
 */
export async function hostForRelays(options: HostOptions, onYield: (untilMs: number) => void): Promise<HostedGateway> {
  return open(options, { openEndpoint: async () => undefined, onYield });
}

/** What tells gateways of the two kinds apart. */
interface Kind<Endpoint> {
  readonly openEndpoint: (listen: Listen) => Promise<Endpoint>;
  readonly onYield?: (untilMs: number) => void;
  readonly outranks?: () => Promise<void>;
}

async function open<Endpoint extends HttpFront | undefined>(
  options: HostOptions,
  { openEndpoint, onYield, outranks }: Kind<Endpoint>,
): Promise<HostedGateway & { readonly endpoint: Endpoint }> {
  const { config, paths, system, logger, signal } = options;
  const opened: Opened = {};
  const release = async (): Promise<void> => {
    await opened.configuration?.close();
    await opened.gateway?.close();
    await opened.endpoint?.close();
    const { control, record, registry } = opened;
    if (record !== undefined) await clearAway(options, control);
    await control?.front.close();
    // Last of all: as long as there is a socket, the command line may change it.
    await registry?.close();
  };
  const stop = once(async ({ drainMs: deadlineMs = config.drainMs, hasSuccessor = false }: StopPlan) => {
    const { configuration, endpoint, control, record } = opened;
    await Promise.all([
      configuration?.close(),
      endpoint?.drain({ deadlineMs, minMs: config.drainMinMs }),
      control?.front.drain({ deadlineMs, keepListening: true, hasSuccessor }),
      record && tellStopping(options, { ...record, ...(hasSuccessor && { yielding: true }) }),
    ]);
    await release();
  });
  try {
    const { gateway, endpoint, front } = await claimHome({
      ...{ paths, system, logger, signal, ...(outranks && { outranks }) },
      bind: async () => {
        const made = await sourcesOf(options);
        opened.registry = made.registry;
        const { gateway: own, listen } = gatewayOf(options, made);
        opened.gateway = own;
        const bound = await openEndpoint(listen);
        if (bound !== undefined) opened.endpoint = bound;
        // Before there is a socket: whoever can connect finds out to whom, and under the home's lock every other path to a socket of this home, too.
        const url = bound === undefined ? {} : { url: bound.url };
        opened.record = { pid: process.pid, ...url, version: options.version, socket: paths.socket };
        await writeGatewayRecord(paths.gatewayFile, opened.record);
        const limits = { bodyBytes: config.limits.bodyBytes };
        opened.control = await openControlSocket(paths.socket, (socketPath) =>
          listen({
            listen: { socketPath },
            controlApi: true,
            limits,
            ...ownedBy(made, system),
            ...(onYield && { onYield }),
          }),
        );
        return { gateway: own, endpoint: bound, front: opened.control.front };
      },
    });
    await orAborted(gateway.start(), signal);
    if (options.configuration !== undefined) {
      opened.configuration = options.configuration;
      await options.configuration.follow(gateway);
    }
    return {
      gateway,
      endpoint,
      unrelayed: () => front.unrelayed(),
      stop: (plan = {}) =>
        within(STOP_MS, stop(plan), system.timers, () => {
          logger.error({ afterMs: STOP_MS }, "Gave up waiting for an orderly end");
        }),
    };
  } catch (error) {
    await release();
    throw error;
  }
}

async function sourcesOf({ sources, signal }: HostOptions): Promise<HostedSources> {
  const making = sources();
  try {
    return await orAborted(making, signal);
  } catch (error) {
    // Called off: what comes of it later is not wanted any more.
    void making.then(closeSources).catch(() => {});
    throw error;
  }
}

async function closeSources({ sources, registry }: HostedSources): Promise<void> {
  await Promise.all(sources.map(async (source) => source.close()));
  await registry?.close();
}

/** What the control socket needs to change the registry. */
const ownedBy = ({ registry }: HostedSources, { clock }: SystemPorts): Pick<ServeHttpOptions, "registry"> =>
  registry === undefined ? {} : { registry: { operations: registry.operations, clock } };

type Listen = (options: Omit<ServeHttpOptions, "timers" | "logger" | "metrics">) => Promise<HttpFront>;

function gatewayOf(
  options: HostOptions,
  { sources, serviceMap, authorize }: HostedSources,
): { readonly gateway: Gateway; readonly listen: Listen } {
  const { version, config, configuration, paths, system, logger } = options;
  const { names, lists, cache, startup, children } = config;
  const { metrics = createMetrics({ ofProcess: true }) } = options;
  const catalogStore = fileCatalogStore({ folder: paths.catalog, logger, timers: system.timers });
  const gateway = new Gateway({
    ...system,
    ...{ version, sources, names, lists, cache, startup, children, catalogStore, logger, metrics },
    ...{ serviceMap, configuration, authorize },
  });
  return {
    gateway,
    listen: (where) => serveHttp(gateway, { timers: system.timers, logger, metrics, ...where }),
  };
}

async function clearAway({ paths, logger }: HostOptions, control: ControlSocket | undefined): Promise<void> {
  try {
    await leaveHome(paths, async () => {
      await removeGatewayRecord(paths.gatewayFile);
      await control?.remove();
    });
  } catch (error) {
    logger.warn({ err: error }, "Could not clear away what tells of this gateway; the next one will");
  }
}

/** So that the next gateway of this home waits for the end of this one. */
async function tellStopping({ paths, logger }: HostOptions, record: GatewayRecord): Promise<void> {
  try {
    if ((await readGatewayRecord(paths.gatewayFile))?.pid !== record.pid) return;
    await writeGatewayRecord(paths.gatewayFile, { ...record, stopping: true });
  } catch (error) {
    logger.warn({ err: error }, "Could not note that this gateway is stopping");
  }
}

/** Runs `task` for the first caller; later ones wait for the same run. */
function once<T>(task: (argument: T) => Promise<void>): (argument: T) => Promise<void> {
  let running: Promise<void> | undefined;
  return (argument) => (running ??= task(argument));
}
