import { GatewayError } from "@cortex-os/mcp-core";
import type { FileStat } from "../fs/registry-fs.js";
import { newerVersionOf } from "../journal/journal.js";
import { MAX_JOURNAL_BYTES, MAX_SNAPSHOT_BYTES, type RegistryFiles } from "../registry-files.js";
import type { RegistryBytes } from "./evidence.js";
import { recover, type Recovered } from "./recover.js";

/** The files of a registry as they were read together. */
export interface RegistryReading {
  readonly bytes: RegistryBytes;
  /** How `servers.json` and its journal looked. */
  readonly snapshot: FileStat | undefined;
  readonly log: FileStat | undefined;
}

const MOST_TRIES = 10;

/**
 * Reads all files of a registry, so that they belong together; needs no lock.
 *
 * @throws GatewayError `REGISTRY_IO` when one of them cannot be read or is not to be trusted
 */
export function readFiles(files: RegistryFiles): RegistryReading {
  for (let tries = 1; ; tries++) {
    // The journals first: a snapshot that is newer than they are takes nothing away.
    const log1 = files.read(files.log1, MAX_JOURNAL_BYTES);
    const log = files.read(files.log, MAX_JOURNAL_BYTES);
    const snapshot = files.read(files.snapshot, MAX_SNAPSHOT_BYTES);
    const prev = files.read(files.prev, MAX_SNAPSHOT_BYTES);
    const bytes = { snapshot: snapshot?.bytes, prev: prev?.bytes, log: log?.bytes, log1: log1?.bytes };
    // Replaced meanwhile: what was read of the old one may miss what went into the new one.
    const isSame = files.statIfThere(files.log)?.identity === log?.stat.identity;
    if (isSame || tries === MOST_TRIES) return { bytes, snapshot: snapshot?.stat, log: log?.stat };
  }
}

/**
 * What a reading stands for.
 *
 * @throws GatewayError `REGISTRY_IO` when a newer program wrote it
 */
export function recovered(files: RegistryFiles, { bytes }: RegistryReading): Recovered {
  for (const [file, journal] of [
    [files.log, bytes.log],
    [files.log1, bytes.log1],
  ] as const) {
    const version = journal && newerVersionOf(journal);
    if (version !== undefined) throw newerError(file, version);
  }
  const state = recover(bytes);
  if (state.snapshot.kind === "newer") throw newerError(files.snapshot, state.snapshot.version);
  return state;
}

const newerError = (file: string, version: number): GatewayError =>
  new GatewayError("REGISTRY_IO", `${file} has version ${version} of its form: use a newer cortex-mcp`);
