import type { GatewayError } from "@cortex-os/mcp-core";
import type { ServerFeature } from "@cortex-os/mcp-core/wire";
import type { ResolvedOptions } from "./remote-proxy-options.js";

/** Tells the owner of a proxy what it wants to hear, each thing once. One bad listener must not stop the proxy (style.md, 14). */
export class Announcements {
  readonly #options: ResolvedOptions;
  /** What was said last: up, or why it is down. */
  #last: true | string | undefined;

  constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  /** It is up. */
  up(): void {
    if (this.#isNews(true)) this.#tell(() => this.#options.onAvailability(true));
  }

  /** It is down, or still down for another reason. */
  down({ message, detail }: GatewayError): void {
    if (this.#isNews(`${message}\n${detail ?? ""}`)) {
      this.#tell(() => this.#options.onAvailability(false, message, detail));
    }
  }

  listChanged(feature: ServerFeature): void {
    this.#tell(() => this.#options.onListChanged(feature));
  }

  #isNews(now: true | string): boolean {
    const isNews = this.#last !== now;
    this.#last = now;
    return isNews;
  }

  #tell(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      const { logger, spec } = this.#options;
      logger.error({ connectorId: spec.key, err: error }, "A listener of the connector failed");
    }
  }
}
