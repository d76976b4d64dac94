import { LIST_KINDS, type ListKind } from "@cortex-os/mcp-core/wire";
import { Counter, Gauge, type Registry } from "prom-client";

/** How many entries of each kind there are; of a kind that is absent none. */
export type CatalogCounts = Readonly<Partial<Record<ListKind, number>>>;

/** What can be seen of the catalog (R15). */
export interface CatalogMetrics {
  /** Another catalog is in force. */
  catalogChanged(counts: CatalogCounts): void;
  /** How long ago that was, in seconds. */
  catalogAge(seconds: number): void;
}

/** Makes them in `registry`. */
export function createCatalogMetrics(registry: Registry): CatalogMetrics {
  const registers = [registry];
  const tools = new Gauge({ name: "brainwav_mcp_catalog_tools", help: "Tools in the catalog", registers });
  const entries = new Gauge({
    name: "brainwav_mcp_catalog_entries",
    help: "Entries in the catalog by kind, tools included",
    labelNames: ["kind"] as const,
    registers,
  });
  const changes = new Counter({ name: "brainwav_mcp_catalog_changes_total", help: "Catalogs put in force", registers });
  const age = new Gauge({
    name: "brainwav_mcp_catalog_age_seconds",
    help: "Since the catalog in force was put in force; it is old when nothing changed, too",
    registers,
  });
  const set = (counts: CatalogCounts): void => {
    tools.set(counts.tools ?? 0);
    for (const kind of LIST_KINDS) entries.set({ kind }, counts[kind] ?? 0);
  };
  set({});
  return {
    catalogChanged: (counts) => {
      set(counts);
      changes.inc();
    },
    catalogAge: (seconds) => {
      age.set(seconds);
    },
  };
}
