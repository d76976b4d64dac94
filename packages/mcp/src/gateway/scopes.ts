import type { Timers } from "@cortex-os/mcp-core";
import type { ConnectorDirectory } from "../connectors/connector-directory.js";
import { ConnectorScope, type ConnectorScopeSettings } from "./connector-scope.js";
import type { ResolvedSettings } from "./gateway-settings.js";
import type { Defer, Scope } from "./scope.js";
import { WholeScope, type WholeScopeDeps } from "./whole-scope.js";

/** What {@link Scopes} work through. */
export interface ScopesDeps extends WholeScopeDeps {
  readonly directory: ConnectorDirectory;
  readonly timers: Timers;
  readonly settings: ResolvedSettings;
  /** The lists of a connector that clients may have seen are others now. */
  readonly onListsChanged: (scope: Scope, features: ReturnType<ConnectorScope["follow"]>) => void;
  /** Its connector was removed: nothing leads to it any more. */
  readonly onGone: (scope: Scope) => void;
}

/** Every scope there is: all connectors together, and each by itself from its first use until it leaves. A connector that is replaced keeps its scope. */
export class Scopes {
  readonly whole: WholeScope;
  readonly #deps: ScopesDeps;
  readonly #ofConnectors = new Map<string, ConnectorScope>();
  #settings: ConnectorScopeSettings;

  constructor(deps: ScopesDeps) {
    this.#deps = deps;
    this.whole = new WholeScope(deps, deps.settings.routing);
    this.#settings = settingsOf(deps.settings);
  }

  /** For requests from now on. */
  reconfigure(settings: ResolvedSettings): void {
    this.whole.reconfigure(settings.routing);
    this.#settings = settingsOf(settings);
    this.follow();
  }

  /** The scope of the connector of that key, disabled ones included; `undefined` when there is none now. */
  find(key: string): ConnectorScope | undefined {
    if (this.#deps.directory.find(key) === undefined) return undefined;
    const known = this.#ofConnectors.get(key);
    if (known !== undefined) return known;
    const { directory, timers } = this.#deps;
    const scope = new ConnectorScope(key, { directory, timers, settings: () => this.#settings });
    this.#ofConnectors.set(key, scope);
    return scope;
  }

  /** What has to come about before it is known which connectors there are. @returns `undefined` when there is nothing to wait for */
  untilKnown(): Defer | undefined {
    return this.whole.untilListed();
  }

  /** Connectors came, went, were replaced or offer something else. */
  follow(): void {
    for (const [key, scope] of this.#ofConnectors) {
      if (this.#deps.directory.find(key) === undefined) {
        this.#ofConnectors.delete(key);
        this.#deps.onGone(scope);
        continue;
      }
      const changed = scope.follow();
      if (changed.size > 0) this.#deps.onListsChanged(scope, changed);
    }
  }
}

const settingsOf = ({ catalog, startup }: ResolvedSettings): ConnectorScopeSettings => ({
  lists: { ttlMs: catalog.ttlMs, pageSize: catalog.pageSize },
  maxWaitMs: startup.maxMs,
});
