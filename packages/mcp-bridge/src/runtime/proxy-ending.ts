import type { GatewayError, Logger, Timers } from "@cortex-os/mcp-core";
import type { InFlight } from "../channel/in-flight.js";
import { closedFailure, cutShortFailure } from "../http/failures.js";
import type { LeavingLinks } from "./leaving-links.js";

/** What is ended by a {@link ProxyEnding}. */
export interface ProxyEndingDeps {
  readonly key: string;
  readonly logger: Logger;
  readonly timers: Timers;
  /** Ends the attempt that is under way. */
  readonly closing: AbortController;
  /** What waits for a connection. */
  readonly waiting: InFlight<object>;
  readonly leaving: LeavingLinks;
  /** Makes no attempt any more by itself. */
  readonly rest: () => void;
  /** Takes nothing new: the link that is used is among those that are leaving. */
  readonly leave: () => void;
  /** What remains to be released when no link is left. Never rejects. */
  readonly release: () => Promise<void>;
}

/** The end of a `RemoteProxy`: at once, or when its calls in flight have ended. */
export class ProxyEnding {
  readonly #deps: ProxyEndingDeps;
  #retired: Promise<void> | undefined;
  #disposed: Promise<void> | undefined;

  constructor(deps: ProxyEndingDeps) {
    this.#deps = deps;
  }

  /** Whether it has been asked to end when its calls have. */
  get isRetired(): boolean {
    return this.#retired !== undefined;
  }

  /** See `RemoteProxy.dispose`. @param error what calls in flight fail with */
  dispose(error: GatewayError = closedFailure(this.#deps.key)): Promise<void> {
    return (this.#disposed ??= this.#dispose(error));
  }

  /** See `RemoteProxy.retire`. */
  retire(graceMs: number, why: string): Promise<void> {
    return (this.#retired ??= this.#retire(graceMs, why));
  }

  async #retire(graceMs: number, why: string): Promise<void> {
    const { key, logger, timers, closing, waiting, leaving, rest, leave } = this.#deps;
    rest();
    const cancel = timers.after(graceMs, () => {
      logger.warn({ connectorId: key, graceMs }, `Calls were cut short: their connector ${why}`);
      void this.dispose(cutShortFailure(key, why, graceMs));
    });
    if (waiting.size > 0) await waiting.drained();
    closing.abort(closedFailure(key));
    leave();
    await leaving.whenGone();
    cancel();
    await this.dispose();
  }

  async #dispose(error: GatewayError): Promise<void> {
    const { closing, leaving, rest, leave, release } = this.#deps;
    rest();
    closing.abort(error);
    leave();
    await leaving.end(error);
    await release();
  }
}
