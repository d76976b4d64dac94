import { lstat, mkdir } from "node:fs/promises";
import { userError } from "../user-error.js";

const OTHERS = 0o077;

/** Makes `folder` and its parents; a new one is for its owner alone. */
export async function ensureFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
}

/**
 * Makes `folder` or checks the one that is there: in a place where everybody may write, somebody else could have made it
 * first and would then own what is put there.
 *
 * @throws GatewayError USER_INPUT when it is no folder, a link, somebody else's, or open to others
 */
export async function ensurePrivateFolder(folder: string): Promise<void> {
  await ensureFolder(folder);
  const found = await lstat(folder);
  if (found.isDirectory() && found.uid === (process.getuid?.() ?? found.uid) && (found.mode & OTHERS) === 0) return;
  throw userError(`${folder} must be a folder of yours that nobody else can enter; remove it, or set XDG_RUNTIME_DIR`);
}
