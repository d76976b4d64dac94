import type { ConnectorSource } from "@cortex-os/mcp";
import type { ConnectorSpec } from "@cortex-os/mcp-core";

/** A source of which only the connectors that `select` leaves are seen. */
export function filteredSource(
  source: ConnectorSource,
  select: (specs: readonly ConnectorSpec[]) => readonly ConnectorSpec[],
): ConnectorSource {
  return {
    origin: source.origin,
    start: (listener) =>
      source.start((specs, state) => {
        listener(select(specs), state);
      }),
    reload: () => source.reload(),
    freshen: () => source.freshen?.(),
    close: () => source.close(),
  };
}
