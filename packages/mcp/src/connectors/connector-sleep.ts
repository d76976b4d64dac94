import type { RandomSource, Timers } from "@cortex-os/mcp-core";

/** What a {@link ConnectorSleep} works through. */
export interface ConnectorSleepDeps {
  readonly timers: Timers;
  readonly random: RandomSource;
  /** Starts it for a look at its lists; it sleeps again by itself. @default what it listed is believed until somebody asks something of it */
  readonly look: (() => void) | undefined;
}

/** How long the lists of one that sleeps are believed, in milliseconds; the jitter keeps those apart that fell asleep together. */
const LOOK_MS = 6 * 3_600_000;
/** After how long it is tried again when they could not be had: nobody asks for what is not listed, and so nobody else would start it. */
const RETRY_MS = 60_000;
const LOOK_JITTER = 0.2;

/** Whether a connector's process is not running because nothing is asked of it. Such a one cannot tell that its lists changed: it is started for that from time to time. */
export class ConnectorSleep {
  readonly #deps: ConnectorSleepDeps;
  #isAsleep = false;
  #cancelLook: () => void = () => {};

  constructor(deps: ConnectorSleepDeps) {
    this.#deps = deps;
  }

  get isAsleep(): boolean {
    return this.#isAsleep;
  }

  /** Nothing of it runs from now on. @param isListed whether what it listed is good */
  begin(isListed: boolean): void {
    this.end();
    this.#isAsleep = true;
    const { look, random, timers } = this.#deps;
    if (look === undefined) return;
    const delayMs = Math.floor((isListed ? LOOK_MS : RETRY_MS) * (1 + (random.next() * 2 - 1) * LOOK_JITTER));
    this.#cancelLook = timers.after(delayMs, look);
  }

  /** It runs again, or was tried, or is needed no more. Idempotent. */
  end(): void {
    this.#isAsleep = false;
    this.#cancelLook();
  }
}
