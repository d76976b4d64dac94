import { readFile } from "node:fs/promises";
import path from "node:path";
import { adviceOn, errnoOf } from "@cortex-os/mcp-registry";
import type { Io } from "../io.js";
import { userError } from "../user-error.js";

/**
 * The bytes of a file that a command was given.
 *
 * @param what it is, to read after "the"
 * @throws GatewayError USER_INPUT when it cannot be read
 */
export async function readInputFile({ cwd }: Pick<Io, "cwd">, file: string, what: string): Promise<Buffer> {
  const full = path.resolve(cwd, file);
  try {
    return await readFile(full);
  } catch (error) {
    const why = errnoOf(error) === "ENOENT" ? "there is no such file" : adviceOn(error);
    throw userError(`cannot read the ${what} ${full}: ${why}`, { cause: error });
  }
}
