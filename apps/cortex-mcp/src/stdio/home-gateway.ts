import { PassThrough } from "node:stream";
import { createMetrics, StdioConversation, type GatewayMetrics } from "@cortex-os/mcp";
import { loadConfig, type ConfigSources } from "../config/load.js";
import type { Config } from "../config/schema.js";
import type { Io } from "../io.js";
import { isHomeTaken } from "../serve/claim-home.js";
import type { LeveledLogger } from "../serve/create-logger.js";
import { hostForRelays, type HostedGateway } from "../serve/host-gateway.js";
import { homeConnectors } from "../serve/home-connectors.js";
import { orAborted } from "../serve/or-aborted.js";
import { findRunningGateway } from "../state/running-gateway.js";
import type { StatePaths } from "../state/state-paths.js";
import { programVersion } from "../version.js";
import type { GatewayFinder, GatewayLink } from "./gateway-link.js";
import { openSocketLink } from "./socket-link.js";

/** What a {@link HomeGateway} is made of. */
export interface HomeGatewayOptions {
  readonly io: Io;
  readonly paths: StatePaths;
  readonly configSources: ConfigSources;
  /** What they said when this process started. */
  readonly config: Config;
  readonly logger: LeveledLogger;
}

const LOOK_AGAIN_MS = 25;
/** How long one with a URL that ended in good order is expected back, in milliseconds: who restarts it must find its home free. */
const RESTART_MS = 1_000;
/** How long it may take to end, in milliseconds. */
const ENDING_MS = 10_000;

/** The gateway of a home, wherever it runs: in another process, and when there is none, in this one. */
export class HomeGateway implements GatewayFinder {
  readonly #options: HomeGatewayOptions;
  #hosted: HostedGateway | undefined;

  constructor(options: HomeGatewayOptions) {
    this.#options = options;
  }

  /** The gateway that this process has become. */
  get hosted(): HostedGateway | undefined {
    return this.#hosted;
  }

  async find(mayReturn: boolean, signal: AbortSignal): Promise<GatewayLink> {
    const { paths, io } = this.#options;
    const { monotonic, timers } = io.system;
    const startedMs = monotonic.elapsedMs();
    let hostFromMs = startedMs + (mayReturn ? RESTART_MS : 0);
    for (;;) {
      signal.throwIfAborted();
      const nowMs = monotonic.elapsedMs();
      const running = await findRunningGateway(paths);
      if (running !== undefined && running.record?.stopping !== true) {
        const link = await openSocketLink(running, timers, signal);
        if (link !== undefined) return link;
      } else if (running !== undefined && mayReturn && nowMs < startedMs + ENDING_MS) {
        hostFromMs = nowMs + RESTART_MS;
      } else if (nowMs >= hostFromMs) {
        const link = await this.#become(signal);
        if (link !== undefined) return link;
      }
      await orAborted(new Promise<void>((resolve) => void timers.after(LOOK_AGAIN_MS, resolve)), signal);
    }
  }

  /** @returns `undefined` when another process was faster */
  async #become(signal: AbortSignal): Promise<GatewayLink | undefined> {
    const { io, paths, configSources, logger } = this.#options;
    const config = await this.#currentConfig();
    const metrics = createMetrics({ ofProcess: true });
    const { configuration, sources } = homeConnectors(io, { paths, configSources, config, logger, metrics });
    const options = { version: programVersion(), config, configuration, paths, sources, metrics, logger };
    try {
      this.#hosted = await hostForRelays({ ...options, system: io.system, signal });
    } catch (error) {
      if (isHomeTaken(error)) return undefined;
      throw error;
    }
    logger.info({}, "Became the gateway of this home");
    return this.#ownLink(this.#hosted, config, metrics);
  }

  /** A relay may have run for weeks. One that is refused is told by the gateway, which follows it; a home without a gateway would help nobody. */
  async #currentConfig(): Promise<Config> {
    const { configSources, config } = this.#options;
    return loadConfig(configSources).catch(() => config);
  }

  #ownLink({ gateway }: HostedGateway, config: Config, metrics: GatewayMetrics): GatewayLink {
    const { logger } = this.#options;
    const [input, output] = [new PassThrough(), new PassThrough()];
    const streams = { input, output, maxMessageBytes: config.limits.bodyBytes };
    const conversation = new StdioConversation(gateway, { ...streams, logger, metrics });
    return {
      toGateway: input,
      fromGateway: output,
      hasUrl: false,
      close: () => {
        conversation.close();
      },
    };
  }
}
