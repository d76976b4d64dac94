import { randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { z } from "zod";
import { systemCodeOf } from "../user-error.js";

const GatewayRecordSchema = z.looseObject({
  pid: z.int().positive(),
  url: z.string(),
  version: z.string(),
  socket: z.string(),
});

/** What `gateway.json` says about the running gateway. */
export interface GatewayRecord {
  readonly pid: number;
  /** Its endpoint for clients. */
  readonly url: string;
  readonly version: string;
  /** Its control socket. */
  readonly socket: string;
}

/** Writes the record for its owner alone, whole or not at all. */
export async function writeGatewayRecord(file: string, record: GatewayRecord): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600, flag: "wx" });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The record in `file`, or `undefined` when there is none or it is damaged: whether a gateway runs, only its socket tells. */
export async function readGatewayRecord(file: string): Promise<GatewayRecord | undefined> {
  try {
    return GatewayRecordSchema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    if (systemCodeOf(error) === "EACCES") throw error;
    return undefined;
  }
}

/** Removes the record, unless another process wrote it. */
export async function removeGatewayRecord(file: string, pid: number): Promise<void> {
  const record = await readGatewayRecord(file);
  if (record === undefined || record.pid === pid) await rm(file, { force: true });
}
