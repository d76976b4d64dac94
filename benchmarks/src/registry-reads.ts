import { setImmediate } from "node:timers/promises";
import { inEveryTurn } from "./event-loop.js";
import { Figures, msOfCall } from "./figures.js";
import type { RegistryPart } from "./registry-part.js";
import type { RegistrySubject } from "./registry-subject.js";

/** Reading all servers from memory, in every turn of the event loop: while changes are flushed back to back, against while nothing else happens. */
export function readsPart({ size, cache, change }: RegistrySubject, flushes: number): RegistryPart {
  const ways = [
    { name: "entries", read: () => cache.entries },
    { name: "getAll", read: () => cache.getAll() },
  ].map(({ name, read }) => {
    const is = { baseline: `${name}, nothing else`, optimised: `${name}, while flushes run back to back` };
    const times = new Figures(
      { benchmark: "registry", measure: `${name} of ${size} servers`, unit: "µs", is },
      [50, 99],
    );
    return { read, times };
  });
  const flushAll = async (): Promise<void> => {
    for (let at = 0; at < flushes; at++) {
      change();
      await cache.flush();
    }
  };
  return {
    measure: async () => {
      for (const { read, times } of ways) {
        const [alone, flushing] = [new Array<number>(), new Array<number>()];
        await inEveryTurn(flushAll, () => flushing.push(msOfCall(read)));
        while (alone.length < flushing.length) {
          alone.push(msOfCall(read));
          await setImmediate();
        }
        times.addRound({ baseline: alone, optimised: flushing });
      }
    },
    comparisons: () => ways.flatMap(({ times }) => times.comparisons),
  };
}
