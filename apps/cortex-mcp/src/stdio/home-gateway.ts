import { createMetrics } from "@cortex-os/mcp";
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
import { reasonOf } from "../user-error.js";
import { programVersion } from "../shipped-files.js";
import type { InitialConfig } from "./initial-config.js";
import type { Expected, GatewayFinder, GatewayLink } from "./gateway-link.js";
import { openSocketLink } from "./socket-link.js";

/** What a {@link HomeGateway} is made of. */
export interface HomeGatewayOptions {
  readonly io: Io;
  readonly paths: StatePaths;
  readonly configSources: ConfigSources;
  /** What they said when this process started. */
  readonly initial: InitialConfig;
  readonly logger: LeveledLogger;
}

const LOOK_AGAIN_MS = 25;
/**
 * How long the home is left to whom it is expected from, in milliseconds: who restarts one with a URL must find it free, and so must the one for which room was made,
 * which looks for it ten times a second and only then opens its port.
 */
const LEFT_MS: Readonly<Record<Expected, number>> = { anyone: 0, itself: 1_000, successor: 10_000 };
/** How long it may take to end, in milliseconds. */
const ENDING_MS = 10_000;

/** The gateway of a home, wherever it runs: in another process, and when there is none, in this one. */
export class HomeGateway implements GatewayFinder {
  readonly #options: HomeGatewayOptions;
  /** The last configuration that was not refused. */
  #config: Config | undefined;
  #isRefusalTold = false;
  #hosted: HostedGateway | undefined;

  constructor(options: HomeGatewayOptions) {
    this.#options = options;
    const { config, refusal } = options.initial;
    this.#config = refusal === undefined ? config : undefined;
    this.#isRefusalTold = refusal === undefined;
  }

  /** The gateway that this process has become. */
  get hosted(): HostedGateway | undefined {
    return this.#hosted;
  }

  async find(expected: Expected, signal: AbortSignal): Promise<GatewayLink> {
    const { paths, io } = this.#options;
    const { monotonic, timers } = io.system;
    const startedMs = monotonic.elapsedMs();
    let hostFromMs = startedMs + LEFT_MS[expected];
    for (;;) {
      signal.throwIfAborted();
      const nowMs = monotonic.elapsedMs();
      const running = await findRunningGateway(paths);
      const { stopping, yielding } = running?.record ?? {};
      const leftTo: Expected = yielding === true ? "successor" : expected;
      if (running !== undefined && stopping !== true) {
        const link = await openSocketLink(running, timers, signal);
        if (link !== undefined) {
          this.#tellRefusal();
          return link;
        }
      } else if (running !== undefined && leftTo !== "anyone" && nowMs < startedMs + ENDING_MS) {
        hostFromMs = nowMs + LEFT_MS[leftTo];
      } else if (nowMs >= hostFromMs) {
        // Its own client is one of those that it serves: one way for all of them, and for what becomes of them.
        if (await this.#become(signal)) continue;
      }
      await orAborted(new Promise<void>((resolve) => void timers.after(LOOK_AGAIN_MS, resolve)), signal);
    }
  }

  /** @returns `false` when another process was faster */
  async #become(signal: AbortSignal): Promise<boolean> {
    const { io, paths, configSources, logger } = this.#options;
    const config = await this.#currentConfig();
    const metrics = createMetrics({ ofProcess: true });
    const { configuration, sources } = homeConnectors(io, { paths, configSources, config, logger, metrics });
    const options = { version: programVersion(), config, configuration, paths, sources, metrics, logger };
    let yields = false;
    const hosting = hostForRelays({ ...options, system: io.system, signal }, (untilMs) => {
      // Who asks does so until it sees that room is made; a start comes to its end first. One that was suspended may read it when nobody waits any more.
      if (yields || io.system.clock.now() > untilMs) return;
      yields = true;
      hosting.then(async (hosted) => this.#yield(hosted)).catch(() => {});
    });
    try {
      this.#hosted = await hosting;
    } catch (error) {
      if (isHomeTaken(error)) return false;
      throw error;
    }
    logger.info({}, "Became the gateway of this home");
    return true;
  }

  /** From here on this process is a relay like the others. */
  async #yield(hosted: HostedGateway): Promise<void> {
    this.#options.logger.info({}, "Makes room for a gateway with a URL");
    await hosted.stop({ hasSuccessor: true });
    if (this.#hosted === hosted) this.#hosted = undefined;
  }

  /** Only now: a process that becomes the gateway ends with the refusal instead. */
  #tellRefusal(): void {
    if (this.#isRefusalTold) return;
    this.#isRefusalTold = true;
    const { logger, initial } = this.#options;
    logger.warn({ reason: reasonOf(initial.refusal) }, "The configuration is refused; relaying with the defaults");
  }

  /** A relay may have run for weeks. One that is refused is told by the gateway, which follows it; a home without a gateway would help nobody. */
  async #currentConfig(): Promise<Config> {
    try {
      this.#config = await loadConfig(this.#options.configSources);
    } catch (error) {
      if (this.#config === undefined) throw error;
    }
    return this.#config;
  }
}
