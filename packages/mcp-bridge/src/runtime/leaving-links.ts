import type { GatewayError, Logger } from "@cortex-os/mcp-core";
import type { CloseOptions, Link } from "../link.js";

/** Links that take nothing new: each is released when the calls on it have ended. */
export class LeavingLinks {
  readonly #key: string;
  readonly #logger: Logger;
  readonly #leaving = new Map<Link, Promise<void>>();

  constructor(key: string, logger: Logger) {
    this.#key = key;
    this.#logger = logger;
  }

  /** Lets the calls on it end by themselves. */
  add(link: Link): void {
    const leaving = this.release(link, { drain: true }).then(() => void this.#leaving.delete(link));
    this.#leaving.set(link, leaving);
  }

  /** Resolves when the calls on all of them have ended, or were ended. Never rejects. */
  async whenGone(): Promise<void> {
    await Promise.all(this.#leaving.values());
  }

  /** Ends the calls on all of them with this error. Never rejects. */
  async end(error: GatewayError): Promise<void> {
    const links = [...this.#leaving.keys()];
    await Promise.all([...links.map((link) => this.release(link, { error })), this.whenGone()]);
  }

  /** Closes any link. Never rejects: one that cannot be closed properly must not keep the next one from opening. */
  async release(link: Link, options?: CloseOptions): Promise<void> {
    try {
      await link.close(options);
    } catch (error) {
      this.#logger.error({ connectorId: this.#key, err: error }, "A connection could not be released");
    }
  }
}
