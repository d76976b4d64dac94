import type { Logger, Timers } from "@cortex-os/mcp-core";
import { wakeOrEnd } from "../state/wake-or-end.js";
import type { GatewayLink } from "./gateway-link.js";

/** How long nothing is heard before the gateway is asked whether it is awake, and how long it has to answer, in milliseconds each. */
const SILENT_MS = 5_000;

/** What a {@link SilenceWatch} works through. */
export interface SilenceWatchDeps {
  readonly link: Pick<GatewayLink, "pid" | "isAwake">;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Whether the client waits for an answer. */
  readonly isWaiting: () => boolean;
}

/**
 * Tells once, on standard error, of a gateway that runs and answers nothing while its client waits: suspended, or stuck. Nothing else shows that, for its connections
 * stay open. A call that takes long is no sign of it, so that the gateway is asked before. What waits goes on waiting: a gateway that is awakened answers it.
 */
export class SilenceWatch {
  readonly #deps: SilenceWatchDeps;
  #hasHeard = false;
  #isOver = false;
  #cancel: (() => void) | undefined;

  constructor(deps: SilenceWatchDeps) {
    this.#deps = deps;
  }

  /** The gateway was asked something. */
  asked(): void {
    if (this.#isOver || this.#cancel !== undefined) return;
    this.#hasHeard = false;
    this.#cancel = this.#deps.timers.after(SILENT_MS, () => void this.#look());
  }

  /** It said something. */
  heard(): void {
    this.#hasHeard = true;
  }

  /** Watches no more. */
  end(): void {
    this.#isOver = true;
    this.#cancel?.();
  }

  async #look(): Promise<void> {
    const { link, logger, isWaiting } = this.#deps;
    const isWell = !isWaiting() || this.#hasHeard || (await link.isAwake(SILENT_MS)) || this.#hasHeard;
    this.#cancel = undefined;
    if (this.#isOver) return;
    if (isWell) {
      if (isWaiting()) this.asked();
      return;
    }
    this.#isOver = true;
    const { pid } = link;
    const advice = pid === undefined ? "end it" : wakeOrEnd(pid);
    logger.warn({ gateway: pid, advice: `${advice}; then another takes over` }, "The gateway does not answer");
  }
}
