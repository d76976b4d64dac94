import { stat } from "node:fs/promises";
import type { ConfigurationChange, FollowedSource, Gateway, ReloadableConfiguration } from "@cortex-os/mcp";
import { GatewayError, messageOf, type Timers } from "@cortex-os/mcp-core";
import { watchFile, type FileWatch } from "@cortex-os/mcp-registry";
import type { LeveledLogger } from "../serve/create-logger.js";
import { changedSettings, isLive, takingEffect } from "./config-changes.js";
import { loadConfig, type ConfigSources } from "./load.js";
import type { Config } from "./schema.js";

/** What a {@link LiveConfig} works through. */
export interface LiveConfigOptions {
  /** Where the configuration comes from. Environment and flags stay what they were when the program started, and stay above the file. */
  readonly sources: ConfigSources;
  /** What the gateway was started with. */
  readonly inForce: Config;
  readonly logger: LeveledLogger;
  readonly timers: Timers;
  /** Makes the service map of a configuration ready to be followed. @throws GatewayError USER_INPUT when it cannot be */
  readonly followMap: (config: Config) => Promise<FollowedSource | undefined>;
}

/** What is configured anew. */
export type ConfiguredGateway = Pick<Gateway, "reconfigure" | "followServiceMap" | "setProblem">;

/** A file that was there and is gone is believed to be gone after so many milliseconds: some editors move it away to save it. */
const ABSENT_MS = 1_500;

/**
 * The configuration of a gateway that runs: what changes in the file takes effect within a moment, as far as it can. A configuration that is refused changes
 * nothing: it is told in the log and in the gateway's status until it is mended.
 */
export class LiveConfig implements ReloadableConfiguration {
  readonly #options: LiveConfigOptions;
  #inForce: Config;
  #gateway: ConfiguredGateway | undefined;
  #watch: FileWatch | undefined;
  #wasThere = false;
  #cancelAbsent: (() => void) | undefined;
  /** One reading after the other. */
  #reading: Promise<unknown> = Promise.resolve();
  #toldRefusal: string | undefined;
  #toldRestart = "";
  #closed = false;

  constructor(options: LiveConfigOptions) {
    this.#options = options;
    this.#inForce = options.inForce;
  }

  /** Applies changes to `gateway` from now on; resolves when those that were made since the start are applied. Never rejects for what is in the file. */
  async follow(gateway: ConfiguredGateway): Promise<void> {
    this.#gateway = gateway;
    const { sources, logger, timers } = this.#options;
    // Watch first, then read: a change between the two is seen.
    const watch = await watchFile({ path: sources.file, logger, timers, onChange: () => void this.#notice() });
    this.#watch = watch;
    if (this.#closed) await watch.close();
    await this.#notice();
  }

  async reload(): Promise<ConfigurationChange> {
    const reading = this.#reading.then(async () => this.#read());
    this.#reading = reading.catch(() => {});
    return reading;
  }

  /** Nothing is read and nothing applied any more. Resolves when what was under way has ended. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelAbsent?.();
    await this.#watch?.close();
    await this.#reading;
  }

  async #notice(): Promise<void> {
    this.#cancelAbsent?.();
    const { sources, timers } = this.#options;
    const wasThere = this.#wasThere;
    this.#wasThere = await isThere(sources.file);
    if (this.#closed) return;
    if (this.#wasThere || !wasThere) await this.#readBehind();
    else this.#cancelAbsent = timers.after(ABSENT_MS, () => void this.#readBehind());
  }

  /** Nobody waits for it: what is wrong was told. */
  async #readBehind(): Promise<void> {
    await Promise.allSettled([this.reload()]);
  }

  /** @throws GatewayError USER_INPUT when it is refused, NOT_READY when no gateway runs (yet, or any more) */
  async #read(): Promise<ConfigurationChange> {
    const gateway = this.#gateway;
    if (this.#closed || gateway === undefined)
      throw new GatewayError("NOT_READY", "The gateway is starting or stopping: its configuration is not read now");
    try {
      const wanted = await loadConfig(this.#options.sources);
      const differing = changedSettings(this.#inForce, wanted);
      const changed = differing.filter(isLive);
      await this.#apply(wanted, changed, gateway);
      this.#toldRefusal = undefined;
      gateway.setProblem("configuration", undefined);
      const needRestart = differing.filter((setting) => !isLive(setting));
      this.#tell(changed, needRestart);
      return { changed, needRestart };
    } catch (error) {
      this.#refuse(error, gateway);
      throw error;
    }
  }

  async #apply(wanted: Config, changed: readonly string[], gateway: ConfiguredGateway): Promise<void> {
    const isChanged = (section: string): boolean => changed.some((setting) => setting.startsWith(`${section}.`));
    const { names, lists, cache, startup, log } = wanted;
    // First what can be refused: nothing may be half in force.
    if (isChanged("serviceMap")) await gateway.followServiceMap(await this.#options.followMap(wanted));
    if (["names", "lists", "cache", "startup"].some(isChanged)) gateway.reconfigure({ names, lists, cache, startup });
    this.#options.logger.level = log.level;
    this.#inForce = takingEffect(this.#inForce, wanted);
  }

  #tell(changed: readonly string[], needRestart: readonly string[]): void {
    const { logger } = this.#options;
    if (changed.length > 0) logger.info({ changed }, "Configuration changed");
    const restart = needRestart.join();
    if (restart !== "" && restart !== this.#toldRestart)
      logger.warn({ settings: needRestart }, "Changed settings need a restart to take effect");
    this.#toldRestart = restart;
  }

  #refuse(error: unknown, gateway: ConfiguredGateway): void {
    const reason = messageOf(error);
    gateway.setProblem("configuration", `the configuration is refused, and the settings before it stay: ${reason}`);
    if (reason === this.#toldRefusal) return;
    this.#toldRefusal = reason;
    const fields = GatewayError.is(error) && error.code === "USER_INPUT" ? { reason } : { err: error };
    this.#options.logger.error(fields, "The configuration is refused; the settings before it stay");
  }
}

async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
