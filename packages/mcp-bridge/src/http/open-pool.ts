import { Pool, type Dispatcher } from "undici";

/** Sockets towards one origin. In a module of its own, because undici is not loaded before it is needed: see `pools.ts`. */
export const openPool = (origin: string, options: Pool.Options): Dispatcher => new Pool(origin, options);
