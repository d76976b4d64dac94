import { randomUUID } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { adviceOn, errnoOf, replaceFile } from "@cortex-os/mcp-registry";
import { z } from "zod";
import { userError } from "../user-error.js";

const GatewayRecordSchema = z.looseObject({
  pid: z.int().positive(),
  url: z.string().exactOptional(),
  version: z.string(),
  socket: z.string(),
  stopping: z.boolean().exactOptional(),
  yielding: z.boolean().exactOptional(),
});

/** What `gateway.json` says about the running gateway. */
export interface GatewayRecord {
  readonly pid: number;
  /** Its endpoint for clients; absent when it serves relays alone (`cortex-mcp stdio`). */
  readonly url?: string;
  readonly version: string;
  /** Its control socket. */
  readonly socket: string;
  /** It is on its way out: the next one may wait for its end. */
  readonly stopping?: boolean;
  /** It makes room for one with a URL, which relays wait for. */
  readonly yielding?: boolean;
}

/**
 * Writes the record for its owner alone, whole or not at all.
 *
 * @throws GatewayError REGISTRY_IO
 */
export async function writeGatewayRecord(file: string, record: GatewayRecord): Promise<void> {
  await replaceFile(file, `${JSON.stringify(record, null, 2)}\n`, `${file}.${randomUUID()}.tmp`);
}

/**
 * The record in `file`, or `undefined` when there is none or it is damaged: whether a gateway runs, only its socket tells.
 *
 * @throws GatewayError USER_INPUT when it may not be read: then nothing can be said about this home
 */
export async function readGatewayRecord(file: string): Promise<GatewayRecord | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw userError(`cannot read ${file}: ${adviceOn(error)}`, { cause: error });
  }
  try {
    return GatewayRecordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Removes the record if it is this process's. */
export async function removeGatewayRecord(file: string): Promise<void> {
  if ((await readGatewayRecord(file))?.pid === process.pid) await rm(file, { force: true });
}

/** Removes what processes that were killed in the middle of writing a record left beside it; for the owner of the home only. */
export async function sweepGatewayRecords(file: string): Promise<void> {
  const folder = path.dirname(file);
  const leftOver = (name: string): boolean => name.startsWith(`${path.basename(file)}.`) && name.endsWith(".tmp");
  const names = (await readdir(folder)).filter(leftOver);
  await Promise.all(names.map((name) => rm(path.join(folder, name), { force: true })));
}
