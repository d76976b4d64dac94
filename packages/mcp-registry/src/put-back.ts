import { registryFileBytes } from "./document/registry-file.js";
import { lookOf } from "./file-look.js";
import type { Memory } from "./recovery/memory.js";
import type { RegistryFiles } from "./registry-files.js";
import type { SnapshotView } from "./snapshot-view.js";

/**
 * In a section: writes `servers.json` from memory where it and its journal are gone. A new journal tells little of what was there, and whoever came before the next
 * flush would take that for everything. Not durable yet.
 */
export function putBack(
  files: RegistryFiles,
  { table, generation }: Pick<Memory, "table" | "generation">,
): SnapshotView {
  files.ensureFolder();
  files.replace(files.snapshot, registryFileBytes(table.document, generation));
  return { look: lookOf(files.statIfThere(files.snapshot)), kind: "sealed", seq: generation.seq };
}
