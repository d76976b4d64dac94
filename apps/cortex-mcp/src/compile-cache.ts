import { mkdirSync, statSync } from "node:fs";
import path from "node:path";

/** Node has it since 22.1. */
interface CompileCaching {
  readonly enableCompileCache?: (folder: string) => unknown;
}

/**
 * Has Node keep what it compiles of this program for the next start, where it can. Only in a folder that nobody else writes to: what is kept is run, and Node's default for it
 * is a folder of the machine's. Call it before what is worth keeping is loaded; it never throws, and without it everything is compiled anew.
 *
 * @param nodeModule `node:module`
 */
export function keepCompiled(nodeModule: object, env: Readonly<Record<string, string | undefined>>): void {
  const { XDG_CACHE_HOME: configured, HOME: home } = env;
  const base = configured || (home && path.join(home, ".cache"));
  const { enableCompileCache }: CompileCaching = nodeModule;
  if (enableCompileCache === undefined || !base || !path.isAbsolute(base)) return;
  const folder = path.join(base, "cortex-mcp", "compiled");
  if (isOursAlone(folder)) enableCompileCache(folder);
}

/** Makes the folder if there is none. With the umask of many a machine, a user's group could write to one that Node makes. */
function isOursAlone(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(folder);
    // Where there are no such numbers, a user's folder is the user's.
    return process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
  } catch {
    return false;
  }
}
