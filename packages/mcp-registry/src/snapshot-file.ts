import { lstat, mkdir, open, readFile, readlink, realpath, rename, stat, unlink } from "node:fs/promises";
import path from "node:path";
import { GatewayError } from "@cortex-os/mcp-core";
import { errnoOf, registryIoError } from "./io-error.js";

const MAX_LINKS = 40;

/**
 * The file that `file` stands for: itself, or the end of its chain of symbolic links, which need not exist. Writing goes there, so that a
 * link (into a folder of dotfiles, say) stays one.
 *
 * @throws GatewayError `REGISTRY_IO` for links that lead in a circle or into a folder that cannot be searched
 */
export async function resolveTarget(file: string): Promise<string> {
  let target = path.resolve(file);
  try {
    for (let hops = 0; hops < MAX_LINKS; hops++) {
      if (!(await isSymbolicLink(target))) return target;
      // A link counts from the folder it really is in.
      target = path.resolve(await realpath(path.dirname(target)), await readlink(target));
    }
  } catch (error) {
    throw registryIoError("read", file, error);
  }
  throw new GatewayError("REGISTRY_IO", `cannot read ${file}: it is a symbolic link that leads back to itself`);
}

/**
 * The text of a file, or `undefined` if there is none.
 *
 * @throws GatewayError `REGISTRY_IO` when it is there and cannot be read, or is no regular file (a pipe would be waited for)
 */
export async function readBytes(file: string): Promise<Buffer | undefined> {
  try {
    if (!(await lstat(file)).isFile())
      throw new GatewayError("REGISTRY_IO", `cannot read ${file}: it is not a regular file`);
    return await readFile(file);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw registryIoError("read", file, error);
  }
}

/**
 * Makes the folder and those above it that are missing, for the owner only (0700), and durable. One that exists keeps its mode: it may be
 * anybody's.
 */
export async function ensureFolder(folder: string): Promise<void> {
  try {
    const first = await makeFolders(path.resolve(folder));
    if (first === undefined) return;
    for (let made = path.resolve(folder); made.length >= first.length; made = path.dirname(made))
      await syncFolder(path.dirname(made));
  } catch (error) {
    throw registryIoError("create the folder", folder, error);
  }
}

/**
 * One by one: Node's own recursive way never ends where nothing can be made, although the folder above is there (in `/proc`).
 *
 * @returns the topmost folder that was made, if one was
 */
async function makeFolders(folder: string): Promise<string | undefined> {
  const tried = await makeFolder(folder, ["ENOENT"]);
  if (tried !== "ENOENT") return tried === "made" ? folder : undefined;
  const first = await makeFolders(path.dirname(folder));
  return (await makeFolder(folder, [])) === "made" ? (first ?? folder) : first;
}

/** Whether the folder was made, was there, or could not be made for one of the `expected` reasons. */
async function makeFolder<E extends string>(folder: string, expected: readonly E[]): Promise<"made" | "there" | E> {
  try {
    await mkdir(folder, { mode: 0o700 });
    return "made";
  } catch (error) {
    const code = expected.find((candidate) => candidate === errnoOf(error));
    if (code !== undefined) return code;
    if (errnoOf(error) === "EEXIST" && (await stat(folder)).isDirectory()) return "there";
    throw error;
  }
}

/**
 * Puts `content` in the place of a file in one step: readers see the old or the new whole. Resolves when a power cut would not undo it.
 * Readable by the owner only (0600).
 *
 * @param temporary a file beside it that nobody else uses; gone afterwards, also when this fails
 * @throws GatewayError `REGISTRY_IO`; the file is then as it was, unless only the last step (making it durable) failed
 */
export async function replaceFile(file: string, content: string | Uint8Array, temporary: string): Promise<void> {
  try {
    await writeDurably(temporary, content);
    await rename(temporary, file);
    await syncFolder(path.dirname(file));
  } catch (error) {
    await removeIfThere(temporary);
    throw registryIoError("write", file, error);
  }
}

/** Removes a file; one that is not there, or cannot be removed, is left. For leftovers only. */
export async function removeIfThere(file: string): Promise<void> {
  await unlink(file).catch(() => {});
}

/** A new file each time: after a failed sync the same descriptor could report success with the data lost. */
async function writeDurably(file: string, content: string | Uint8Array): Promise<void> {
  const handle = await open(file, "wx", 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function isSymbolicLink(file: string): Promise<boolean> {
  try {
    return (await lstat(file)).isSymbolicLink();
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
