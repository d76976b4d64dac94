import { lstat, mkdir } from "node:fs/promises";
import { errnoOf } from "@cortex-os/mcp-registry";
import { reasonOf, userError } from "../user-error.js";

const OTHERS = 0o077;

/**
 * Makes `folder`, whose parent must be there, or checks the one that is there: in a place where everybody may write, somebody
 * else could have made it first and would then own what is put there.
 *
 * @throws GatewayError USER_INPUT when it cannot be made, is no folder, a link, somebody else's, or open to others
 */
export async function ensurePrivateFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") {
      const remedy = "set XDG_RUNTIME_DIR to a folder of yours, or unset it";
      throw userError(`cannot create the folder ${folder}: ${reasonOf(error)}; ${remedy}`, { cause: error });
    }
  }
  const found = await lstat(folder);
  if (found.isDirectory() && found.uid === (process.getuid?.() ?? found.uid) && (found.mode & OTHERS) === 0) return;
  throw userError(`${folder} must be a folder of yours that nobody else can enter; remove it, or set XDG_RUNTIME_DIR`);
}
