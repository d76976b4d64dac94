import { GatewayError, type Logger, type Timers } from "@cortex-os/mcp-core";
import type { ConnectorProxy, ConnectorProxyOptions } from "./connector-proxy.js";
import type { ProxyWord } from "./proxy-word.js";
import { withinDeadline } from "./within-deadline.js";

/** What a {@link ProxySeat} works through. */
export interface ProxySeatDeps {
  readonly key: string;
  readonly create: (listeners: Pick<ConnectorProxyOptions, "onAvailability" | "onToolsChanged">) => ConnectorProxy;
  readonly onWord: (word: ProxyWord) => void;
  readonly onToolsChanged: () => void;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** A proxy that does not let go is left to itself after this long. */
const RELEASE_MS = 5_000;

/** Holds the one proxy of a connector that is in use. To one that left, nobody listens any more. */
export class ProxySeat {
  readonly #deps: ProxySeatDeps;
  readonly #releases = new Set<Promise<void>>();
  #taken: { proxy?: ConnectorProxy } = {};

  constructor(deps: ProxySeatDeps) {
    this.#deps = deps;
  }

  get proxy(): ConnectorProxy | undefined {
    return this.#taken.proxy;
  }

  /**
   * The proxy in use; made when there is none.
   * @throws whatever the factory throws
   */
  take(): ConnectorProxy {
    const seat = this.#taken;
    seat.proxy ??= this.#deps.create({
      onAvailability: (up, reason, detail) => {
        if (this.#taken === seat) this.#deps.onWord({ up, reason, detail });
      },
      onToolsChanged: () => {
        if (this.#taken === seat) this.#deps.onToolsChanged();
      },
    });
    return seat.proxy;
  }

  /** Disconnects the proxy in use, if there is one; the next {@link take} makes another. */
  leave(): void {
    const { proxy } = this.#taken;
    this.#taken = {};
    if (proxy?.disconnect === undefined) return;
    const { key, timers, logger } = this.#deps;
    const tooLate = (): Error =>
      new GatewayError("UPSTREAM_TIMEOUT", `Connector "${key}" did not disconnect within ${RELEASE_MS} ms`);
    const deadline = { timers, timeoutMs: RELEASE_MS, signal: undefined, onTimeout: tooLate, onAbort: tooLate };
    const release = withinDeadline(deadline, async () => proxy.disconnect?.()).then(
      () => {},
      (error: unknown) => {
        logger.warn({ connectorId: key, err: error }, "A connector's proxy did not disconnect cleanly");
      },
    );
    this.#releases.add(release);
    void release.then(() => this.#releases.delete(release));
  }

  /** Resolves when every proxy that left has disconnected, or its time is over. */
  async whenReleased(): Promise<void> {
    await Promise.all(this.#releases);
  }
}
