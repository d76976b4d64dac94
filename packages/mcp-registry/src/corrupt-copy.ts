import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { Clock } from "@cortex-os/mcp-core";
import { registryIoError } from "./io-error.js";
import { replaceFile } from "./snapshot-file.js";

/**
 * Keeps what a file holds as `<file>.corrupt-<UTC time>` beside it, durably, and returns that path. What is kept already under such a name
 * is not kept twice. The file itself stays where it is: it can be mended in place until something is written over it.
 *
 * @throws GatewayError `REGISTRY_IO`; then nothing must be written over the file
 */
export async function keepCorruptCopy(file: string, bytes: Uint8Array, clock: Clock): Promise<string> {
  const folder = path.dirname(file);
  const prefix = `${path.basename(file)}.corrupt-`;
  try {
    const names = (await readdir(folder)).filter((name) => name.startsWith(prefix) && !name.endsWith(".tmp"));
    for (const name of names) {
      if ((await readFile(path.join(folder, name))).equals(bytes)) return path.join(folder, name);
    }
    const stamp = new Date(clock.now()).toISOString().replaceAll(/[-:.]/g, "");
    let name = prefix + stamp;
    for (let more = 2; names.includes(name); more++) name = `${prefix}${stamp}-${more}`;
    const copy = path.join(folder, name);
    await replaceFile(copy, bytes, `${copy}-${randomBytes(8).toString("hex")}.tmp`);
    return copy;
  } catch (error) {
    throw registryIoError("keep a copy of", file, error);
  }
}
