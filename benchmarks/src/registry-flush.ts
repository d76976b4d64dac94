import path from "node:path";
import { replaceFile } from "@cortex-os/mcp-registry";
import { longestTurnMs } from "./event-loop.js";
import { Figures, inTurns, msOf } from "./figures.js";
import type { RegistryPart } from "./registry-part.js";
import type { RegistrySubject } from "./registry-subject.js";

const IS = {
  baseline: "the same bytes, replaced durably, and nothing else",
  optimised: "RegistryMemoryCache.flush",
};

/**
 * A flush after one change, against nothing but replacing the file with the same bytes as durably (the disk's own share): how long it takes, and for how long it
 * lets nothing else run.
 */
export function flushPart({ folder, size, cache, change, bytes }: RegistrySubject, flushes: number): RegistryPart {
  const of = { benchmark: "registry", unit: "ms", is: IS } as const;
  const times = new Figures({ ...of, measure: `flush of ${size} servers` }, [50, 95, 99]);
  const turns = new Figures({ ...of, measure: `event loop held by a flush of ${size} servers` }, [50, 100]);
  const copy = path.join(folder, "copy.json");
  return {
    measure: async () => {
      const same = await bytes();
      const replace = async (): Promise<void> => replaceFile(copy, same, path.join(folder, "tmp"));
      const flush = async (): Promise<void> => cache.flush();
      // The change is not measured with the flush.
      const changed =
        (measure: (work: () => Promise<void>) => Promise<number>): (() => Promise<number>) =>
        () => {
          change();
          return measure(flush);
        };
      times.addRound(await inTurns(flushes, { baseline: async () => msOf(replace), optimised: changed(msOf) }));
      const held = { baseline: async () => longestTurnMs(replace), optimised: changed(longestTurnMs) };
      turns.addRound(await inTurns(Math.ceil(flushes / 4), held));
    },
    comparisons: () => [...times.comparisons, ...turns.comparisons],
  };
}
