import type { ConnectorSpec, ConnectorStatus } from "@cortex-os/mcp-core";

/** What the sources together name. */
export interface MergedSpecs {
  /** One a key: the connectors there are to be. */
  readonly specs: readonly ConnectorSpec[];
  /** Those of the service map whose key the registry has: they are not to be, and are shown with the reason. */
  readonly shadowed: readonly ConnectorSpec[];
}

/** Merges the sources. When both have one key the registry's wins (design.md, decision 4): it is what a person typed on this machine. */
export function mergeSpecs(registry: readonly ConnectorSpec[], map: readonly ConnectorSpec[]): MergedSpecs {
  const local = new Set(registry.map(({ key }) => key));
  return {
    specs: [...map.filter(({ key }) => !local.has(key)), ...registry],
    shadowed: map.filter(({ key }) => local.has(key)),
  };
}

const SHADOWED =
  "servers.json has a server of this name, and that one is served; rename or remove it to use the service map's";

/** What is shown of the connectors that lost their key to the registry. */
export class ShadowedConnectors {
  #statuses: readonly ConnectorStatus[] = [];

  /** @param nowMs since when one that is new here has been shadowed, in milliseconds since the epoch */
  update(shadowed: readonly ConnectorSpec[], nowMs: number): void {
    const known = new Map(this.#statuses.map((status) => [status.key, status]));
    this.#statuses = shadowed.map(({ key, source, disabled }) => {
      const state = disabled ? "disabled" : "down";
      const before = known.get(key);
      if (before?.state === state) return before;
      const since = new Date(nowMs).toISOString();
      return { key, source, state, ...(disabled ? {} : { reason: SHADOWED }), tools: 0, since };
    });
  }

  /** These among the statuses of the living, which are sorted by key: behind the one that won. */
  among(living: readonly ConnectorStatus[]): readonly ConnectorStatus[] {
    if (this.#statuses.length === 0) return living;
    const lost = new Map(this.#statuses.map((status) => [status.key, status]));
    return living.flatMap((status) => {
      const shadow = lost.get(status.key);
      return shadow === undefined ? [status] : [status, shadow];
    });
  }
}
