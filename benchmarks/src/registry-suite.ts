import type { Comparison } from "./comparison.js";
import { fileSystemOf } from "./file-system.js";
import type { OnRound } from "./on-round.js";
import { durablePart, type Throughput } from "./registry-durable.js";
import { flushPart } from "./registry-flush.js";
import { initPart } from "./registry-init.js";
import type { RegistryPart } from "./registry-part.js";
import { readsPart } from "./registry-reads.js";
import { withRegistry } from "./registry-subject.js";
import { upsertPart } from "./registry-upsert.js";
import { withTemporaryFolder } from "./temporary-folder.js";

/** How large the registries are, and how often everything is done in a round. */
export interface RegistrySuiteOptions {
  /** Numbers of servers. */
  readonly sizes: readonly number[];
  /** Numbers of callers of durable changes. */
  readonly callers: readonly number[];
  readonly rounds: number;
  /** Of a registry of at most a thousand servers; a quarter of it of a larger one. */
  readonly flushes: number;
  readonly upserts: number;
  /** Durable changes at each number of callers. */
  readonly changes: number;
}

/** What the registry takes. */
export interface RegistryFound {
  readonly comparisons: readonly Comparison[];
  readonly throughputs: readonly Throughput[];
  /** What the files were on. */
  readonly fileSystem: string;
}

const MANY = 1_000;

/**
 * What it costs to keep the registry (R10, R11): changes, flushes, starts and reads in each size, and changes that are durable one by one.
 *
 * @throws Error when the files do not hold afterwards what was changed
 */
export async function measureRegistry(options: RegistrySuiteOptions, onRound: OnRound): Promise<RegistryFound> {
  const { sizes, callers, rounds, flushes, upserts } = options;
  const all = (sizes.length + 1) * rounds;
  let done = 0;
  const inRounds = async <P extends RegistryPart>(parts: readonly P[]): Promise<readonly P[]> => {
    // The first one warms up.
    for (let round = 0; round <= rounds; round++) {
      for (const { measure } of parts) await measure();
      if (round > 0) onRound(++done, all);
    }
    return parts;
  };
  const parts: RegistryPart[] = [];
  for (const size of sizes) {
    const times = size > MANY ? Math.ceil(flushes / 4) : flushes;
    parts.push(
      ...(await withRegistry(size, async (subject) =>
        inRounds([
          upsertPart(subject, upserts),
          flushPart(subject, times),
          initPart(subject, Math.ceil(times / 4)),
          readsPart(subject, Math.ceil(times / 4)),
        ]),
      )),
    );
  }
  return withTemporaryFolder(async (folder) => {
    const durable = await inRounds(callers.map((count) => durablePart(folder, { ...options, callers: count })));
    return {
      comparisons: [...parts, ...durable].flatMap((part) => part.comparisons()),
      throughputs: durable.map((part) => part.throughput()),
      fileSystem: await fileSystemOf(folder),
    };
  });
}
