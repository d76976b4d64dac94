import { GatewayError } from "@cortex-os/mcp-core";
import type { RegistryFs } from "./fs/registry-fs.js";
import { errnoOf, registryIoError } from "./io-error.js";
import { parseLockText, type LockContent } from "./lock-text.js";

/** Who holds a lock. */
export interface LockHolder {
  /** Tells this taking of the lock from every other, and is fit to be a part of a file name. */
  readonly key: string;
  /** What it says; nothing for one that holds no text of ours. */
  readonly content: LockContent | undefined;
}

const NS_PER_MS = 1e6;
/** Symbolic links cannot be made on some file systems, and are not permitted then. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(["EPERM", "ENOSYS", "EOPNOTSUPP", "ENOTSUP"]);

/**
 * Makes the lock `path`, which says `text`, unless there is one; whether it did. One system call makes and names it, so it is never there without its holder's name.
 *
 * @throws GatewayError `REGISTRY_IO`
 */
export function makeLock(fs: RegistryFs, path: string, text: string): boolean {
  try {
    fs.symlink(text, path);
    return true;
  } catch (error) {
    const code = errnoOf(error);
    if (code === "EEXIST") return false;
    if (!NO_LINKS.has(code)) throw registryIoError("create the lock", path, error);
    const advice = "check who owns its folder, and that its file system has symbolic links";
    throw new GatewayError("REGISTRY_IO", `cannot create the lock ${path}: not permitted: ${advice}`, { cause: error });
  }
}

/**
 * Who holds the lock `path`; `undefined` when nobody does any more.
 *
 * @throws GatewayError `REGISTRY_IO`
 */
export function readHolder(fs: RegistryFs, path: string): LockHolder | undefined {
  try {
    const content = parseLockText(textOf(fs, path));
    if (content !== undefined) return { key: content.token, content };
    const { identity, mtimeNs } = fs.stat(path);
    return { key: `nameless-${identity}-${mtimeNs}`, content: undefined };
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw registryIoError("read the lock", path, error);
  }
}

/**
 * Removes the lock `path` if it still says `text`: it may have been removed by hand, or taken from a holder that nobody could judge, and be another's now. To look first
 * costs a tenth of a taking.
 *
 * @throws GatewayError `REGISTRY_IO`
 */
export function giveBack(fs: RegistryFs, path: string, text: string): void {
  try {
    if (textOf(fs, path) === text) fs.unlink(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw registryIoError("remove the lock", path, error);
  }
}

/** Removes the lock `path`, whatever it says. */
export function removeLock(fs: RegistryFs, path: string): void {
  try {
    fs.unlink(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw registryIoError("remove the lock", path, error);
  }
}

/**
 * How much older a lock is than one that was just made beside it, in milliseconds: both by the clock of whoever keeps the files, which is not ours on a network. 0 for one that
 * is gone.
 *
 * @throws GatewayError `REGISTRY_IO`
 */
export function olderByMs(fs: RegistryFs, path: string, justMade: string): number {
  try {
    return Number(fs.stat(justMade).mtimeNs - fs.stat(path).mtimeNs) / NS_PER_MS;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return 0;
    throw registryIoError("read the lock", path, error);
  }
}

/** What a link says; empty for anything else but a folder, which no rule would ever remove. */
function textOf(fs: RegistryFs, path: string): string {
  try {
    return fs.readlink(path);
  } catch (error) {
    if (errnoOf(error) !== "EINVAL") throw error;
    if (fs.stat(path).kind !== "folder") return "";
    throw new GatewayError("REGISTRY_IO", `${path} should be a lock, and is a folder: move it away`, { cause: error });
  }
}
