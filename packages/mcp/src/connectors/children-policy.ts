import type { ChildrenPolicy, ConnectorSpec } from "@cortex-os/mcp-core";

/** {@link ChildrenPolicy}'s defaults: a server that keeps something in its process loses it when that ends, so nobody's does unasked. */
export const DEFAULT_CHILDREN: ChildrenPolicy = { start: "eager", idleMs: 0 };

/** How the children of a connector live: as its entry says, else as for all. `undefined` for one that has none. */
export function childrenOf(spec: ConnectorSpec, ofAll: ChildrenPolicy = DEFAULT_CHILDREN): ChildrenPolicy | undefined {
  return spec.transport.kind === "stdio" ? { ...ofAll, ...spec.children } : undefined;
}
