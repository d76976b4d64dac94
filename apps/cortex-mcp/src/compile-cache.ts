import path from "node:path";

/** Node has it since 22.1. */
interface CompileCaching {
  readonly enableCompileCache?: (folder: string) => unknown;
}

/**
 * Has Node keep what it compiles of this program for the next start, where it can. Only in a folder of the user's own: what is kept is run, and Node's default for it is a
 * folder of the machine's. Call it before what is worth keeping is loaded; it never throws, and without it everything is compiled anew.
 *
 * @param nodeModule `node:module`
 */
export function keepCompiled(nodeModule: object, env: Readonly<Record<string, string | undefined>>): void {
  const { XDG_CACHE_HOME: configured, HOME: home } = env;
  const base = configured || (home && path.join(home, ".cache"));
  const { enableCompileCache }: CompileCaching = nodeModule;
  if (base && path.isAbsolute(base)) enableCompileCache?.(path.join(base, "cortex-mcp", "compiled"));
}
