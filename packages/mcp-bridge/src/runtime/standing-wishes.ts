import { messageOf } from "@cortex-os/mcp-core";
import type { LogLevel } from "@cortex-os/mcp-core/wire";
import type { Link } from "../link.js";
import { resourceUpdated } from "../listening/resource-subscriptions.js";
import type { Announcements } from "./announcements.js";
import type { ResolvedOptions } from "./remote-proxy-options.js";

/** What is asked of an upstream for as long as it is there: of each of its links anew. */
export class StandingWishes {
  readonly #options: ResolvedOptions;
  readonly #announcements: Announcements;
  readonly #uris = new Set<string>();
  #level: LogLevel | undefined;
  #link: Link | undefined;

  constructor(options: ResolvedOptions, announcements: Announcements) {
    this.#options = options;
    this.#announcements = announcements;
  }

  /** Another link, or none; the new one is told everything. */
  move(link: Link | undefined): void {
    this.#link = link;
    if (link === undefined) return;
    if (this.#level !== undefined) link.setLogLevel(this.#level);
    for (const uri of this.#uris) this.#renew(link, uri);
  }

  /** @throws GatewayError as `Link.subscribe`, and nothing is remembered then; without a link, or when it is lost meanwhile, it is only remembered */
  async subscribe(uri: string): Promise<void> {
    const link = this.#link;
    this.#uris.add(uri);
    try {
      await link?.subscribe(uri);
    } catch (error) {
      if (this.#link !== link) return;
      this.#uris.delete(uri);
      // It may have been heard all the same.
      void link?.unsubscribe(uri);
      throw error;
    }
  }

  async unsubscribe(uri: string): Promise<void> {
    if (this.#uris.delete(uri)) await this.#link?.unsubscribe(uri);
  }

  setLogLevel(level: LogLevel): void {
    this.#level = level;
    this.#link?.setLogLevel(level);
  }

  /** Nobody said what became of the resource while the upstream was away: it counts as changed. */
  #renew(link: Link, uri: string): void {
    const { logger, spec } = this.#options;
    link.subscribe(uri).then(
      () => {
        if (this.#link === link && this.#uris.has(uri)) this.#announcements.notification(resourceUpdated(uri));
      },
      (error: unknown) => {
        logger.warn(
          { connectorId: spec.key, reason: messageOf(error) },
          "A subscription to a resource could not be renewed",
        );
      },
    );
  }
}
