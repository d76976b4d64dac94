import { open, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { FsStore, nodeFs, RegistryMemoryCache, type RegistryFs } from "@cortex-os/mcp-registry";
import type { Sides } from "./comparison.js";
import { Figures, msOf } from "./figures.js";
import type { RegistryPart } from "./registry-part.js";
import { lineAt, serverAt } from "./registry-subject.js";
import { median } from "./statistics.js";

/** How many changes come together, and how many there were. */
export interface DurableOptions {
  /** Callers at once; each waits for its change before it makes the next. */
  readonly callers: number;
  /** Changes in a round, by all of them. */
  readonly changes: number;
}

/** What goes through in a second, and what it shares. */
export interface Throughput {
  readonly callers: number;
  /** Lines, each with an `fdatasync` of its own. */
  readonly linesPerSecond: number;
  readonly changesPerSecond: number;
  readonly changesPerDatasync: number;
}

/** {@link RegistryPart} that tells more than times. */
export interface DurablePart extends RegistryPart {
  readonly throughput: () => Throughput;
}

/** Changes that survive a power cut, against a line added to a file with an `fdatasync` of its own. */
export function durablePart(folder: string, { callers, changes }: DurableOptions): DurablePart {
  const is = { baseline: "one line added, fdatasync", optimised: "FsStore.upsert" };
  const measure = `durable upsert, ${callers} at once`;
  const times = new Figures({ benchmark: "registry", measure, unit: "ms", is }, [50, 99]);
  const store = new FsStore({ env: { CORTEX_HOME: folder } });
  const perSecond: Sides<number[]> = { baseline: [], optimised: [] };
  const perSync: number[] = [];
  let edition = 0;
  /** Every caller has a server of its own. */
  const changed = (caller: number) => serverAt(caller, ++edition);
  const all = async (change: (caller: number) => Promise<unknown>): Promise<LoadTimes> =>
    load(callers, Math.ceil(changes / callers), change);
  return {
    measure: async () => {
      const file = await open(path.join(folder, "lines"), "a", 0o600);
      try {
        const upserts = async (): Promise<LoadTimes> => all(async (caller) => store.upsert(changed(caller)));
        const early = perSync.length % 2 === 0 ? await upserts() : undefined;
        const baseline = await all(async (caller) => addLine(file, caller));
        const optimised = early ?? (await upserts());
        times.addRound({ baseline: baseline.eachMs, optimised: optimised.eachMs });
        perSecond.baseline.push(baseline.perSecond);
        perSecond.optimised.push(optimised.perSecond);
      } finally {
        await file.close();
      }
      await store.closeRegistryCache();
      perSync.push(await changesPerDatasync(path.join(folder, "counted", "servers.json"), all));
    },
    comparisons: () => times.comparisons,
    throughput: () => ({
      callers,
      linesPerSecond: median(perSecond.baseline.slice(1)),
      changesPerSecond: median(perSecond.optimised.slice(1)),
      changesPerDatasync: median(perSync.slice(1)),
    }),
  };
}

interface LoadTimes {
  readonly eachMs: readonly number[];
  readonly perSecond: number;
}

async function load(callers: number, each: number, change: (caller: number) => Promise<unknown>): Promise<LoadTimes> {
  const eachMs: number[] = [];
  const call = async (caller: number): Promise<void> => {
    for (let at = 0; at < each; at++) eachMs.push(await msOf(async () => change(caller)));
  };
  const allMs = await msOf(async () => Promise.all(Array.from({ length: callers }, async (_, caller) => call(caller))));
  return { eachMs, perSecond: (eachMs.length * 1_000) / allMs };
}

async function addLine(file: FileHandle, at: number): Promise<void> {
  await file.write(lineAt(at));
  await file.datasync();
}

/** The store does the same with its cache, and lets nobody count: so this is another load of the same kind. */
async function changesPerDatasync(
  registryPath: string,
  all: (change: (caller: number) => Promise<unknown>) => Promise<LoadTimes>,
): Promise<number> {
  let syncs = 0;
  const fs: RegistryFs = {
    ...nodeFs,
    datasync: async (fd) => {
      syncs++;
      return nodeFs.datasync(fd);
    },
  };
  const cache = new RegistryMemoryCache({ registryPath, flushIntervalMs: Number.POSITIVE_INFINITY, fs });
  await cache.init();
  let edition = 0;
  const { eachMs } = await all(async (caller) => {
    cache.upsert(serverAt(caller, ++edition));
    await cache.durable();
  });
  const counted = syncs;
  await cache.close();
  return eachMs.length / counted;
}
