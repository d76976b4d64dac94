import { BRAND, type Clock, type Logger, type RandomSource, type Timers } from "@cortex-os/mcp-core";
import { ConnectorManifestError } from "../connector-manifest-error.js";
import { RefreshScheduler } from "../refresh-scheduler.js";
import type { RefreshCircuit } from "./refresh-circuit.js";
import { RefreshRetry } from "./refresh-retry.js";

/** What a {@link RefreshPlan} plans, and through which ports. */
export interface RefreshPlanOptions {
  /** Between two refreshes that went well, in milliseconds. */
  readonly intervalMs: number;
  /** Asks the publisher, unless the circuit is open: then it rejects with the rule `circuit-open`. */
  readonly refresh: () => Promise<void>;
  readonly circuit: RefreshCircuit;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomSource;
}

/** When the publisher is asked in the background: after each interval, and sooner after a failure, but never while the circuit is open. */
export class RefreshPlan {
  readonly #options: RefreshPlanOptions;
  readonly #scheduler: RefreshScheduler;
  readonly #retry: RefreshRetry;
  /** Whether the last scheduled run asked nobody: it neither failed nor completed. */
  #skipped = false;

  /** Starts: the first refresh comes after one interval. */
  constructor(options: RefreshPlanOptions) {
    this.#options = options;
    const { intervalMs, logger, clock, timers, random } = options;
    const own: Pick<Logger, "info" | "warn"> = {
      info: (fields, message) => {
        if (!this.#skipped) logger.info(fields, message);
      },
      warn: (fields, message) => {
        logger.warn(fields, message);
      },
    };
    const onRefresh = async (): Promise<void> => this.#run();
    this.#scheduler = new RefreshScheduler({ intervalMs, onRefresh, logger: own, clock, random, timers });
    // Through the scheduler, which knows of one refresh at a time and moves its own next run.
    const retry = (): void => void this.#scheduler.forceRefresh();
    this.#retry = new RefreshRetry({ clock, timers, random, intervalMs, retry });
    this.#scheduler.start();
  }

  /** When the publisher will be asked, in milliseconds since the epoch, as far as that is planned: no run that finds the circuit open counts. */
  get nextAtMs(): number | undefined {
    const { circuit, clock } = this.#options;
    const openUntilMs = clock.now() + circuit.retryInMs;
    const due = [this.#scheduler.nextRefreshAtMs, this.#retry.dueMs].filter((ms) => ms !== undefined);
    const asking = due.filter((ms) => ms >= openUntilMs);
    return asking.length === 0 ? undefined : Math.min(...asking);
  }

  /** Asks now; never rejects. */
  async now(): Promise<void> {
    await this.#scheduler.forceRefresh();
  }

  /** An attempt begins that will ask the publisher, whoever wanted it: no retry beside it. */
  began(): void {
    this.#retry.cancel();
  }

  /** An attempt ended, whoever wanted it. */
  ended(failure: unknown): void {
    // Nobody was asked, so nothing is to be planned anew.
    if (isSkipped(failure) && this.#retry.dueMs !== undefined) return;
    this.#retry.plan(this.#options.circuit);
  }

  stop(): void {
    this.#scheduler.stop();
    this.#retry.cancel();
  }

  async #run(): Promise<void> {
    this.#skipped = false;
    try {
      await this.#options.refresh();
    } catch (error) {
      if (!isSkipped(error)) throw error;
      this.#skipped = true;
      this.#options.logger.debug({ brand: BRAND, error: error.reason }, "Refresh skipped");
    }
  }
}

/** Whether nobody was asked, because the circuit is open. */
export const isSkipped = (failure: unknown): failure is ConnectorManifestError =>
  failure instanceof ConnectorManifestError && failure.rule === "circuit-open";
