import { constants } from "node:fs";
import { access, open, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { messageOf, type GatewayError } from "@cortex-os/mcp-core";
import { adviceOn, errnoOf, replaceFile } from "@cortex-os/mcp-registry";
import { jwkSetOf, type JwkSet } from "@cortex-os/protocol";
import type { Io } from "../io.js";
import { jsonText } from "../output.js";
import { userError } from "../user-error.js";
import { readInputFile } from "./read-input-file.js";

const OTHERS = 0o077;

/**
 * The key set that a file holds.
 *
 * @throws GatewayError USER_INPUT when it cannot be read, or is no key set; nothing of it is quoted
 */
export async function readKeySet(io: Pick<Io, "cwd">, file: string): Promise<JwkSet> {
  const bytes = await readInputFile(io, file, "key set");
  try {
    return jwkSetOf(JSON.parse(bytes.toString("utf8")));
  } catch (error) {
    // The parser would quote the text, and with it a key.
    const why = error instanceof SyntaxError ? "it is not JSON" : messageOf(error);
    throw userError(`cannot use the key set ${path.resolve(io.cwd, file)}: ${why}`);
  }
}

/** Whether others than its owner may read or write a file. */
export const isOpenToOthers = async (file: string): Promise<boolean> => ((await stat(file)).mode & OTHERS) !== 0;

/**
 * Writes a key set that nobody but its owner can read (0600).
 *
 * @throws GatewayError USER_INPUT when there is such a file: a key that is written over is gone
 */
export async function createPrivateKeySet(file: string, jwks: JwkSet): Promise<void> {
  try {
    const handle = await open(file, "wx", 0o600);
    try {
      await handle.writeFile(`${jsonText(jwks)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    throw userError(`${file} exists already; add --add to put one more key into it, or name another file`);
  }
}

/** Writes a private key set in the place of the one that is there, in one step. A symbolic link stays one. */
export async function replacePrivateKeySet(file: string, jwks: JwkSet): Promise<void> {
  const target = await realpath(file);
  await replaceFile(target, `${jsonText(jwks)}\n`, temporaryFor(target));
}

/**
 * Writes a line that everybody may read, in one step: others may be reading the file that it takes the place of.
 *
 * @throws GatewayError USER_INPUT when it cannot be written
 */
export async function writePublicFile(file: string, text: string): Promise<void> {
  const temporary = temporaryFor(file);
  try {
    await writeFile(temporary, `${text}\n`, { mode: 0o644, flag: "wx" });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw cannotWrite(file, error);
  }
}

/**
 * Checks that there is a folder for a file, and that this user may write into it: before something else is written that cannot be taken back.
 *
 * @throws GatewayError USER_INPUT
 */
export async function checkFolderOf(file: string): Promise<void> {
  try {
    // With the dot a file in the folder's place is none.
    await access(`${path.dirname(file)}${path.sep}.`, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

/** The system's own words would name the temporary file. */
function cannotWrite(file: string, cause: unknown): GatewayError {
  const advice = adviceOn(cause);
  const missing = errnoOf(cause) === "ENOENT" ? `there is no folder ${path.dirname(file)}` : undefined;
  const why = missing ?? (advice === messageOf(cause) ? `the system refuses it (${errnoOf(cause)})` : advice);
  return userError(`cannot write ${file}: ${why}`, { cause });
}

const temporaryFor = (file: string): string => `${file}.${process.pid}.tmp`;
