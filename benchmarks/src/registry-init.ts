import { RegistryMemoryCache } from "@cortex-os/mcp-registry";
import { Figures, inTurns, msOf } from "./figures.js";
import type { RegistryPart } from "./registry-part.js";
import type { RegistrySubject } from "./registry-subject.js";

/** From nothing to a registry that can be asked, against reading and parsing `servers.json` without a look at what it says. */
export function initPart({ size, registryPath, cache, bytes }: RegistrySubject, inits: number): RegistryPart {
  const is = { baseline: "read servers.json and JSON.parse", optimised: "RegistryMemoryCache.init" };
  const times = new Figures({ benchmark: "registry", measure: `init, ${size} servers`, unit: "ms", is }, [50]);
  const init = async (): Promise<number> => {
    const opened = new RegistryMemoryCache({ registryPath, flushIntervalMs: Number.POSITIVE_INFINITY });
    const taken = await msOf(async () => opened.init());
    await opened.close();
    return taken;
  };
  return {
    measure: async () => {
      await cache.flush();
      const parse = async (): Promise<unknown> => JSON.parse((await bytes()).toString("utf8"));
      times.addRound(await inTurns(inits, { baseline: async () => msOf(parse), optimised: init }));
    },
    comparisons: () => times.comparisons,
  };
}
