import path from "node:path";
import type { Clock } from "@cortex-os/mcp-core";
import { keepCorruptCopy } from "./corrupt-copy.js";
import { acquireLock, type LockOptions } from "./lock.js";
import { EMPTY_REGISTRY, parseRegistryFile, serialiseRegistryFile, type RegistryDocument } from "./registry-file.js";
import { ensureFolder, readBytes, removeIfThere, replaceFile, resolveTarget } from "./snapshot-file.js";

/** A content of the registry that need not be parsed again when the file still has these bytes. */
export interface KnownRegistry {
  readonly document: RegistryDocument;
  /** None when there was no file. */
  readonly bytes?: Buffer;
}

/** What a registry file held when it was read. */
export type RegistryRead =
  /** There is no file: an empty registry. */
  | { readonly kind: "absent"; readonly document: RegistryDocument }
  | { readonly kind: "document"; readonly document: RegistryDocument; readonly bytes: Buffer }
  | { readonly kind: "corrupt"; readonly reason: string; readonly bytes: Uint8Array; readonly file: string };

/**
 * Reads the registry at `registryPath` without a lock: what is written atomically is whole.
 *
 * @throws GatewayError `REGISTRY_IO` when it is there and cannot be read
 */
export async function readRegistry(registryPath: string, known?: KnownRegistry): Promise<RegistryRead> {
  return readTarget(await resolveTarget(registryPath), known);
}

async function readTarget(file: string, known?: KnownRegistry): Promise<RegistryRead> {
  const bytes = await readBytes(file);
  if (bytes === undefined) return { kind: "absent", document: EMPTY_REGISTRY };
  if (known?.bytes?.equals(bytes) === true) return { kind: "document", document: known.document, bytes };
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { kind: "corrupt", reason: "it is not valid UTF-8", bytes, file };
  }
  const parsed = parseRegistryFile(text);
  return parsed.ok
    ? { kind: "document", document: parsed.document, bytes }
    : { kind: "corrupt", reason: parsed.reason, bytes, file };
}

/** What {@link updateRegistry} needs besides the path. */
export interface RegistryUpdate {
  /** The new content, made from what the file holds now. */
  readonly change: (document: RegistryDocument) => RegistryDocument;
  /** What was last read or written; it stands in for the content of a file that is gone or corrupt. */
  readonly known: KnownRegistry;
  readonly clock: Clock;
  readonly lock?: LockOptions;
  /** Called with a message for people when the file was corrupt and has been kept under another name. */
  readonly onCorrupt: (message: string) => void;
}

/**
 * Changes the registry: lock, read it again, change, write it whole in one step, unlock. Whatever others changed before is in
 * `change`'s argument. Resolves with what was written, once it is durable.
 *
 * @throws GatewayError `REGISTRY_IO`, with nothing changed unless only making it durable failed
 */
export async function updateRegistry(registryPath: string, update: RegistryUpdate): Promise<KnownRegistry> {
  const file = await resolveTarget(registryPath);
  await ensureFolder(path.dirname(file));
  const lock = await acquireLock(`${file}.lock`, update.lock);
  try {
    for (const token of lock.abandoned) await removeIfThere(temporaryOf(file, token));
    const document = update.change(await baseOf(file, update));
    const bytes = Buffer.from(serialiseRegistryFile(document));
    await replaceFile(file, bytes, temporaryOf(file, lock.token));
    return { document, bytes };
  } finally {
    await lock.release();
  }
}

/**
 * Keeps a copy of a corrupt registry beside it and says so.
 *
 * @returns a message for people that names the copy
 */
export async function setCorruptAside(read: Extract<RegistryRead, { kind: "corrupt" }>, clock: Clock): Promise<string> {
  const kept = await keepCorruptCopy(read.file, read.bytes, clock);
  return `${read.file} cannot be used: ${read.reason}. It was kept as ${kept}: mend it and put it back`;
}

async function baseOf(file: string, { known, clock, onCorrupt }: RegistryUpdate): Promise<RegistryDocument> {
  const read = await readTarget(file, known);
  if (read.kind === "document") return read.document;
  if (read.kind === "corrupt") onCorrupt(await setCorruptAside(read, clock));
  return known.document;
}

/** Named after the lock, so that whoever takes over from a holder that died knows what it left. */
function temporaryOf(file: string, token: string): string {
  return `${file}.tmp-${token}`;
}
