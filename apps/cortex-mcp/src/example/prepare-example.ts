import { access, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { errnoOf } from "@cortex-os/mcp-registry";
import type { Registry } from "../registry.js";
import { EXAMPLE_MARK, exampleEntries, type ExamplePlaces } from "./example-entries.js";
import { FIXTURE } from "./example-manifest.js";

const SAMPLES = {
  "hello.txt": "Hello from the filesystem server, through cortex-mcp.\n",
  "shopping-list.txt": "apples\nbread\ntea\n",
};

/** What is there before the example writes anything. */
export interface ExampleState {
  /** Whether `servers.json` exists: then it is somebody's, and only entries of ours that no longer work are mended. */
  readonly registryExists: boolean;
  readonly entries: readonly ServerInfo[];
  /** Whether an earlier start published a service map from here. */
  readonly mapExists: boolean;
}

/** Whether the example wrote this entry. */
export const isExample = (entry: ServerInfo): boolean => entry[EXAMPLE_MARK] === true;

/** Whether the example is, or will be, in this home: in one that has a registry of somebody's own it is not wanted. */
export const belongsToExample = ({ registryExists, entries, mapExists }: ExampleState): boolean =>
  !registryExists || mapExists || entries.some(isExample);

/** Whether somebody has an entry of their own by the name of the fixture. It would win over the one in a service map. */
export const ownsFixture = ({ entries }: ExampleState): boolean =>
  entries.some((entry) => entry.name === FIXTURE && !isExample(entry));

/**
 * Writes the example into a home without a registry. In one that has a registry, entries of ours get what changed since they
 * were written, and only that: programs that have moved with the checkout or with Node. The fixture, which was an entry once, leaves: it comes from a service
 * map, and an entry of its name would win over that.
 */
export async function prepareExample(registry: Registry, state: ExampleState, places: ExamplePlaces): Promise<void> {
  await writeSamples(places.files);
  for (const fresh of exampleEntries(places)) {
    const existing = state.entries.find(({ name }) => name === fresh.name);
    if (!state.registryExists) await registry.put(fresh);
    else if (existing !== undefined && isExample(existing)) await mend(registry, existing, fresh);
  }
  if (state.entries.some((entry) => entry.name === FIXTURE && isExample(entry))) await registry.drop(FIXTURE);
}

async function mend(registry: Registry, existing: ServerInfo, fresh: ServerInfo): Promise<void> {
  const programs = [existing.command, existing.args?.[0]];
  const there = await Promise.all(programs.map((file) => exists(file ?? "")));
  if (there.includes(false)) await registry.put({ ...existing, ...fresh });
}

async function writeSamples(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(SAMPLES)) {
    try {
      await writeFile(path.join(folder, name), text, { flag: "wx" });
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
    }
  }
}

/** Whether there is something at `file`. */
export const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
