import { access, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { errnoOf } from "@cortex-os/mcp-registry";
import type { Registry } from "../registry.js";
import { EXAMPLE_MARK, exampleEntries, FIXTURE, type ExamplePlaces } from "./example-entries.js";

const SAMPLES = {
  "hello.txt": "Hello from the filesystem server, through cortex-mcp.\n",
  "shopping-list.txt": "apples\nbread\ntea\n",
};

/** What is there before the example writes anything. */
export interface ExampleState {
  /** Whether `servers.json` exists: then it is somebody's, and only entries of ours that no longer work are mended. */
  readonly registryExists: boolean;
  readonly entries: readonly ServerInfo[];
}

/** Whether the example wrote this entry. */
export const isExample = (entry: ServerInfo): boolean => entry[EXAMPLE_MARK] === true;

/** Whether the fixture has to run: there is an entry of ours for it, or there will be. */
export const needsFixture = ({ registryExists, entries }: ExampleState): boolean =>
  !registryExists || entries.some((entry) => entry.name === FIXTURE && isExample(entry));

/**
 * Writes the example into a home without a registry. In one that has a registry, entries of ours get what changed since they
 * were written, and only that: the fixture's port, and programs that have moved with the checkout or with Node.
 */
export async function prepareExample(
  registry: Registry,
  state: ExampleState,
  fixtureUrl: string | undefined,
  places: ExamplePlaces,
): Promise<void> {
  await writeSamples(places.files);
  for (const fresh of exampleEntries(fixtureUrl, places)) {
    const existing = state.entries.find(({ name }) => name === fresh.name);
    if (!state.registryExists) await registry.put(fresh);
    else if (existing !== undefined && isExample(existing)) await mend(registry, existing, fresh);
  }
}

async function mend(registry: Registry, existing: ServerInfo, fresh: ServerInfo): Promise<void> {
  if (fresh.endpoint !== undefined) {
    if (existing.endpoint !== fresh.endpoint) await registry.put({ ...existing, endpoint: fresh.endpoint });
    return;
  }
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
