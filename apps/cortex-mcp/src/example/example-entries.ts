import { createRequire } from "node:module";
import path from "node:path";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { z } from "zod";

/** Marks the entries that the example wrote. Unknown members of `servers.json` and of a manifest are kept, so the mark lasts. */
export const EXAMPLE_MARK = "cortexExample";

const Manifest = z.looseObject({ bin: z.union([z.string(), z.record(z.string(), z.string())]) });

/** Where the example's servers keep what they work on. */
export interface ExamplePlaces {
  /** The folder that `filesystem` offers. */
  readonly files: string;
  /** The file in which `memory` keeps what it is told. */
  readonly memory: string;
  /** The folder of its service map. */
  readonly map: string;
}

/** The places of the example in the folder of its home. */
export const examplePlaces = (folder: string): ExamplePlaces => ({
  files: path.join(folder, "example", "files"),
  memory: path.join(folder, "example", "memory.json"),
  map: path.join(folder, "example", "map"),
});

/**
 * The example's servers in the registry: three published ones over stdio, run by this very Node from where they are installed: nothing is looked up on
 * PATH or downloaded.
 */
export function exampleEntries(places: ExamplePlaces): readonly ServerInfo[] {
  return [
    published("everything", []),
    published("filesystem", [places.files]),
    { ...published("memory", []), env: { MEMORY_FILE_PATH: places.memory } },
  ];
}

function published(name: string, args: readonly string[]): ServerInfo {
  const script = programOf(`@modelcontextprotocol/server-${name}`);
  return { name, transport: "stdio", command: process.execPath, args: [script, ...args], [EXAMPLE_MARK]: true };
}

/** The file that a package's only binary is. */
function programOf(packageName: string): string {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve(`${packageName}/package.json`);
  const { bin } = Manifest.parse(require(manifest));
  const file = typeof bin === "string" ? bin : Object.values(bin)[0];
  if (file === undefined) throw new Error(`${packageName} has no binary`);
  return path.join(path.dirname(manifest), file);
}
