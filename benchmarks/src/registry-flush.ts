import { readFile } from "node:fs/promises";
import path from "node:path";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { entriesOf, readRegistry, RegistryMemoryCache, replaceFile } from "@cortex-os/mcp-registry";
import { pairUp, type Comparison } from "./comparison.js";
import type { OnRound } from "./on-round.js";
import { median, percentile } from "./statistics.js";
import { withTemporaryFolder } from "./temporary-folder.js";

/** How large the registries are, and how often each is written. */
export interface RegistryFlushOptions {
  /** Numbers of servers. */
  readonly sizes: readonly number[];
  readonly rounds: number;
  /** Flushes in a round. */
  readonly flushes: number;
}

interface Series {
  readonly is: Comparison["is"];
  readonly unit: Comparison["unit"];
  readonly baseline: number[];
  readonly optimised: number[];
}

const FLUSH = {
  baseline: "the same bytes, replaced durably, and nothing else",
  optimised: "RegistryMemoryCache.flush",
};
const READ = { baseline: "read the file", optimised: "RegistryMemoryCache.getAll" };

/**
 * What it costs to keep the registry: a flush after one change, against nothing but replacing the file with the same bytes as durably (the disk's own
 * share); and reading all servers from memory, against reading the file.
 *
 * @throws Error when a flush did not write what was changed
 */
export async function measureRegistryFlush(options: RegistryFlushOptions, onRound: OnRound): Promise<Comparison[]> {
  const { sizes, rounds } = options;
  const comparisons: Comparison[] = [];
  for (const [at, size] of sizes.entries()) {
    const onOwnRound = (done: number): void => {
      onRound(at * rounds + done, sizes.length * rounds);
    };
    comparisons.push(...(await withTemporaryFolder(async (folder) => measureSize(folder, size, options, onOwnRound))));
  }
  return comparisons;
}

async function measureSize(
  folder: string,
  size: number,
  { rounds, flushes }: RegistryFlushOptions,
  onRound: (done: number) => void,
): Promise<Comparison[]> {
  const registryPath = path.join(folder, "servers.json");
  const cache = new RegistryMemoryCache({ registryPath, flushIntervalMs: Number.POSITIVE_INFINITY });
  await cache.init();
  for (let server = 0; server < size; server++) cache.upsert(serverAt(server, 0));
  await cache.flush();
  const p50 = series(FLUSH, "ms");
  const p95 = series(FLUSH, "ms");
  const reading = series(READ, "µs");
  let edition = 0;
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const [disk, flush, file, memory] = [[], [], [], []].map(() => new Array<number>());
    for (let at = 0; at < flushes; at++) {
      cache.upsert(serverAt(at % size, ++edition));
      flush?.push(await msOf(async () => cache.flush()));
      const bytes = await readFile(registryPath);
      disk?.push(await msOf(async () => replaceFile(path.join(folder, "copy.json"), bytes, path.join(folder, "tmp"))));
      file?.push((await msOf(async () => readRegistry(registryPath))) * 1_000);
      memory?.push((await msOf(() => cache.getAll())) * 1_000);
    }
    if (round === 0) continue;
    push(p50, median(disk ?? []), median(flush ?? []));
    push(p95, percentile(disk ?? [], 0.95), percentile(flush ?? [], 0.95));
    push(reading, median(file ?? []), median(memory ?? []));
    onRound(round);
  }
  await cache.close();
  await check(registryPath, size, edition);
  return [
    compare(`flush of ${size} servers, p50`, p50),
    compare(`flush of ${size} servers, p95`, p95),
    compare(`read ${size} servers, p50`, reading),
  ];
}

const series = (is: Series["is"], unit: Series["unit"]): Series => ({ is, unit, baseline: [], optimised: [] });

function push({ baseline, optimised }: Series, ours: number, theirs: number): void {
  baseline.push(ours);
  optimised.push(theirs);
}

function compare(measure: string, { is, unit, baseline, optimised }: Series): Comparison {
  return { benchmark: "registry", measure, unit, is, rounds: pairUp(baseline, optimised) };
}

const serverAt = (at: number, edition: number): ServerInfo => ({
  name: `server-${at}`,
  transport: "http",
  endpoint: `https://server-${at}.example/mcp?edition=${edition}`,
});

async function check(registryPath: string, size: number, edition: number): Promise<void> {
  const read = await readRegistry(registryPath);
  const entries = read.kind === "corrupt" ? [] : entriesOf(read.document);
  const isWritten = entries.some(({ endpoint }) => endpoint?.endsWith(`edition=${edition}`));
  if (entries.length !== size || !isWritten) throw new Error("the flushes did not write what was changed");
}

async function msOf(work: () => unknown): Promise<number> {
  const beforeMs = performance.now();
  await work();
  return performance.now() - beforeMs;
}
