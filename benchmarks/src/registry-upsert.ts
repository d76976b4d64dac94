import { closeSync, openSync, writeSync } from "node:fs";
import path from "node:path";
import { Figures, inTurns, msOfCall } from "./figures.js";
import type { RegistryPart } from "./registry-part.js";
import { lineAt, type RegistrySubject } from "./registry-subject.js";

/** One change that survives the process when its call returns, against writing a line of its length to the end of an open file. */
export function upsertPart({ folder, size, change }: RegistrySubject, upserts: number): RegistryPart {
  const is = { baseline: "one line written to the end of a file", optimised: "RegistryMemoryCache.upsert" };
  const times = new Figures({ benchmark: "registry", measure: `upsert, ${size} servers`, unit: "µs", is }, [50, 99]);
  return {
    measure: async () => {
      const fd = openSync(path.join(folder, "lines"), "a", 0o600);
      try {
        const write = (at: number): number => msOfCall(() => writeSync(fd, lineAt(at)));
        times.addRound(await inTurns(upserts, { baseline: write, optimised: () => msOfCall(change) }));
      } finally {
        closeSync(fd);
      }
    },
    comparisons: () => times.comparisons,
  };
}
