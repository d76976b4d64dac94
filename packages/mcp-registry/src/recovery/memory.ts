import { registryFileBytes } from "../document/registry-file.js";
import type { RegistryTable } from "../document/registry-table.js";
import type { Generation } from "../document/seal.js";
import type { RegistryFiles } from "../registry-files.js";
import type { Finding } from "./finding.js";
import { recovered, type RegistryReading } from "./read-files.js";
import type { Recovered } from "./recover.js";

/** What one that has read a registry before has of it. */
export interface Memory {
  readonly table: RegistryTable;
  readonly generation: Generation;
  readonly isOnFile: boolean;
  /** Whether it was more than `servers.json` said. */
  readonly isDirty: boolean;
}

/**
 * What a reading stands for to one that knows the registry: memory stands in for a `servers.json` that is gone or cannot be read any more.
 * Nothing else may tell what it held.
 *
 * @throws GatewayError `REGISTRY_IO` when a newer program wrote it
 */
export function recoveredWith(memory: Memory | undefined, files: RegistryFiles, reading: RegistryReading): Recovered {
  const found = recovered(files, reading);
  const { snapshot } = found;
  if (memory === undefined || (snapshot.kind !== "damaged" && snapshot.kind !== "absent")) return found;
  const standIn = registryFileBytes(memory.table.document, memory.generation);
  const kept = recovered(files, { ...reading, bytes: { ...reading.bytes, snapshot: standIn } });
  // Older than the journals reach, and they have everything: others went on without us.
  if (kept.edit.length > 0) return found;
  const finding: Finding =
    snapshot.kind === "damaged"
      ? {
          level: "error",
          text: `servers.json is damaged: ${snapshot.reason}; it is written anew with the next change, and kept beside that as servers.json.corrupt-…`,
        }
      : SNAPSHOT_GONE;
  const findings = [finding, ...kept.findings];
  // Half-written, it is left to whoever writes it until there is something to write.
  const snapshotSeq = snapshot.kind === "damaged" && !memory.isDirty ? memory.generation.seq : undefined;
  return { ...kept, snapshot, snapshotSeq, isOnFile: kept.isOnFile || memory.isOnFile, findings };
}

/** What to tell people when somebody removes `servers.json` while it is in use. */
export const SNAPSHOT_GONE: Finding = {
  level: "warning",
  text: "servers.json is gone: it is written anew. To remove servers use cortex-mcp remove",
};
