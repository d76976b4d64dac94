import type { ServerInfo } from "@cortex-os/mcp-core";
import { problemsOf } from "./document/registry-problems.js";
import { nodeFs } from "./fs/node-fs.js";
import type { RegistryFs } from "./fs/registry-fs.js";
import { readJournal } from "./journal/journal.js";
import { evidenceOf } from "./recovery/evidence.js";
import type { Finding } from "./recovery/finding.js";
import { readFiles, recovered } from "./recovery/read-files.js";
import { readSnapshot } from "./recovery/read-snapshot.js";
import { changesOf } from "./recovery/replay.js";
import { RegistryFiles } from "./registry-files.js";

/** What the files of a registry hold, and in which state they are. */
export interface RegistryVerdict {
  /** The servers that the registry names, in its order. */
  readonly servers: readonly ServerInfo[];
  /** Each file that there is, by its name. */
  readonly files: readonly { readonly name: string; readonly state: FileState }[];
  readonly findings: readonly Finding[];
  /** How many changes the journals tell. */
  readonly changes: number;
  /** When the first of them was made, in milliseconds since the epoch; none when there are none. */
  readonly sinceMs: number | undefined;
}

/**
 * `whole`: as we wrote it. `unsealed`: written or changed by somebody else. `torn`: the end was cut short before it was acknowledged, as a crash
 * leaves it. `damaged`: what was durable once cannot be read any more.
 */
export type FileState = "whole" | "unsealed" | "torn" | "damaged";

/**
 * Looks at a registry: reads only, needs no lock and changes nothing. A registry that is not there has no files and no servers.
 *
 * @throws GatewayError `REGISTRY_IO` when a file cannot be read, is not to be trusted or was written by a newer program
 */
export function verifyRegistry(registryPath: string, fs: RegistryFs = nodeFs): RegistryVerdict {
  const files = new RegistryFiles(registryPath, fs, process.geteuid?.());
  const reading = readFiles(files);
  const state = recovered(files, reading);
  const { snapshot, prev, log, log1 } = reading.bytes;
  const changes = changesOf(evidenceOf(reading.bytes).journals);
  const asides = problemsOf(state.table.document).map((text): Finding => ({ level: "warning", text }));
  const states: readonly (readonly [string, FileState | undefined])[] = [
    [files.snapshot, snapshotState(snapshot)],
    [files.prev, snapshotState(prev)],
    [files.log, log && journalState(log)],
    [files.log1, log1 && journalState(log1)],
  ];
  return {
    servers: state.table.served,
    files: states.flatMap(([file, found]) => (found === undefined ? [] : [{ name: files.nameOf(file), state: found }])),
    findings: [...state.findings, ...asides],
    changes: changes.length,
    sinceMs: changes[0]?.atMs,
  };
}

function snapshotState(bytes: Buffer | undefined): FileState | undefined {
  if (bytes === undefined) return undefined;
  const { kind } = readSnapshot(bytes);
  if (kind === "sealed") return "whole";
  return kind === "loose" ? "unsealed" : "damaged";
}

function journalState(bytes: Buffer): FileState {
  const { state } = readJournal(bytes);
  return state === "corrupt" ? "damaged" : state;
}
