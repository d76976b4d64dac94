import path from "node:path";
import { contentOf, serverOf, type Content } from "../content.js";
import { Random } from "../random.js";
import { REGISTRY_PATH, SimWorld } from "../sim/sim-world.js";
import type { Target } from "../target.js";

/** The files of a registry, by what comes after `servers.json` in their names. */
export const SUFFIXES = ["", ".log", ".prev", ".log.1"] as const;
export type Suffix = (typeof SUFFIXES)[number];

/** A registry with all its files, before it is damaged. */
export interface RegistryBefore {
  readonly files: Readonly<Record<Suffix, Uint8Array>>;
  /** What it held after each change. */
  readonly states: readonly Content[];
  /** How many changes the last flush had in it: these survive any damage to one file. */
  readonly flushed: number;
  readonly known: ReadonlySet<string>;
}

/** Small, so that there are not too many bits to flip. */
const JOURNAL_LIMIT_BYTES = 600;
const MOST_STEPS = 400;
/** Changes after the last flush, which only the journal has. */
const UNFLUSHED = 6;

/**
 * Makes changes and flushes until all four files are there, and then some changes that no snapshot has.
 *
 * @throws Error when no journal was ever closed
 */
export async function registryBefore(target: Target, seed: number): Promise<RegistryBefore> {
  const random = new Random(seed);
  const world = new SimWorld(target);
  const cache = world.start().cache(JOURNAL_LIMIT_BYTES);
  await cache.init();
  const states: Content[] = [[]];
  const known = new Set<string>();
  const change = (step: number): void => {
    const name = `n${random.int(4)}`;
    if (!random.chance(0.2) || !cache.remove(name)) cache.upsert(serverOf(name, `v${step}`));
    states.push(contentOf(cache.getAll()));
    for (const text of states.at(-1) ?? []) known.add(text);
  };
  let step = 0;
  while (!SUFFIXES.every((suffix) => world.disk.files("/").has(REGISTRY_PATH + suffix))) {
    if (step > MOST_STEPS) throw new Error("no journal was closed");
    change(step++);
    if (step % 5 === 0) await cache.flush();
  }
  for (let more = 0; more < 3; more++) change(step++);
  await cache.flush();
  const flushed = states.length - 1;
  for (let more = 0; more < UNFLUSHED; more++) change(step++);
  await cache.durable();
  change(step++);
  const file = (suffix: Suffix): Uint8Array => world.disk.bytes(REGISTRY_PATH + suffix) ?? new Uint8Array(0);
  return {
    files: { "": file(""), ".log": file(".log"), ".prev": file(".prev"), ".log.1": file(".log.1") },
    states,
    flushed,
    known,
  };
}

/** What is at the path of each file; nothing for one that is not there. */
export function filesFor(files: Readonly<Partial<Record<Suffix, Uint8Array>>>): Readonly<Record<string, Uint8Array>> {
  return Object.fromEntries(Object.entries(files).map(([suffix, bytes]) => [REGISTRY_PATH + suffix, bytes]));
}

/** The folder of the registry. */
export const FOLDER = path.dirname(REGISTRY_PATH);
