import type { Logger } from "@cortex-os/mcp-core";
import { printable } from "../upstream-text.js";

/** So many are logged, then no more: many servers print banners, some print for ever. */
const LOGGED = 5;

/** What {@link Strays} work with. */
export interface StraysDeps {
  readonly connectorId: string;
  readonly logger: Logger;
  /** Applied to upstream text before it is logged. */
  readonly redact: (text: string) => string;
  /** What the peer writes to, for log lines: "stdout". */
  readonly output: string;
}

/** Lines of a peer's that are no messages. */
export class Strays {
  readonly #deps: StraysDeps;
  #count = 0;

  constructor(deps: StraysDeps) {
    this.#deps = deps;
  }

  /** @param what what it is instead */
  note(what: string, text: string): void {
    this.#count += 1;
    if (this.#count > LOGGED) return;
    const { connectorId, logger, output, redact } = this.#deps;
    const last = this.#count === LOGGED ? "; further ones are not logged" : "";
    logger.warn(
      { connectorId, text: printable(redact(text.slice(0, 2_000))) },
      `Connector wrote ${what} to ${output}${last}`,
    );
  }
}
