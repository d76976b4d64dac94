import type { openPool } from "./open-pool.js";

/** Makes the sockets towards one origin. */
type OpenPool = typeof openPool;

/**
 * undici is three tenths of what a start would load, and a start with a stored catalog lists before it sends anything. So it is loaded with the first request that needs
 * sockets; those after it go straight on.
 */
let loaded: OpenPool | undefined;
let loading: Promise<void> | undefined;

/** What makes pools, once {@link loadPools} was called and has resolved. */
export const poolsNow = (): OpenPool | undefined => loaded;

/** Resolves when {@link poolsNow} has something. Rejects when it cannot be loaded; the next call tries again. */
export function loadPools(): Promise<void> {
  loading ??= import("./open-pool.js").then(
    (module) => {
      loaded = module.openPool;
    },
    (error: unknown) => {
      loading = undefined;
      throw error;
    },
  );
  return loading;
}
