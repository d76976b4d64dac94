import type { GatewayError } from "@cortex-os/mcp-core";
import type { JsonRpcNotification } from "@cortex-os/mcp-core/wire";
import type { LinkEvents, UpstreamFacts } from "../link.js";
import type { ResolvedOptions } from "./remote-proxy-options.js";

/** Logs what becomes of an upstream, and tells the owner of its proxy what he wants to hear, each thing once. One bad listener must not stop the proxy (style.md, 14). */
export class Announcements {
  readonly #options: ResolvedOptions;
  /** What was said last: up, or why it is down. */
  #last: true | string | undefined;

  constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  /** It is up. */
  up({ era, revision }: UpstreamFacts): void {
    const { logger, spec } = this.#options;
    logger.debug({ connectorId: spec.key, era, revision }, "Upstream connected");
    if (this.#isNews(true)) this.#tell(() => this.#options.onAvailability(true));
  }

  /** It is down, or still down. @param attempt how many failures came before this one */
  down({ message, detail }: GatewayError, attempt: number): void {
    const { logger, spec } = this.#options;
    logger.debug({ connectorId: spec.key, reason: message, detail, attempt }, "Upstream not connected");
    if (this.#isNews(`${message}\n${detail ?? ""}`)) {
      this.#tell(() => this.#options.onAvailability(false, message, detail));
    }
  }

  /** It fell asleep; when it is up the next time, that is news. */
  asleep(): void {
    const { logger, spec } = this.#options;
    this.#last = undefined;
    logger.debug({ connectorId: spec.key }, "Upstream fell asleep");
    this.#tell(() => this.#options.onAsleep());
  }

  /** What a link tells, as long as it is the one that is used. @param own hears in any case */
  ofLink(isUsed: () => boolean, own: Pick<LinkEvents, "onLost" | "onIdle">): LinkEvents {
    return {
      onListChanged: (feature) => {
        if (isUsed()) this.#tell(() => this.#options.onListChanged(feature));
      },
      onNotification: (notification, sessionKey) => {
        if (isUsed()) this.notification(notification, sessionKey);
      },
      // Not only the used one: the calls of one that is being left may still ask.
      onQuestion: (sessionKey, question) => this.#options.onQuestion(sessionKey, question),
      onIsolated: () => {
        this.#tell(() => this.#options.onIsolated());
      },
      ...own,
    };
  }

  notification(notification: JsonRpcNotification, sessionKey?: string): void {
    this.#tell(() => this.#options.onNotification(notification, sessionKey));
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
