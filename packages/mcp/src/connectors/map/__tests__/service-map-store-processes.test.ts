import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { silentLogger } from "@cortex-os/mcp-core";
import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { fileServiceMapStore } from "../service-map-store.js";
import type { StoredServiceMaps } from "../stored-service-maps.js";
import { useTempFolder } from "./temp-folder.js";

const PROCESS = fileURLToPath(new URL("storing-process.mjs", import.meta.url));
const at = useTempFolder();
const file = (): string => at("state", "service-map.json");

/** Runs it to its end; what it printed. */
async function run(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  if (code !== 0) throw new Error(`${command} ended with ${String(code)}`);
  return printed.trim();
}

const stored = async (): Promise<StoredServiceMaps | undefined> =>
  fileServiceMapStore({ file: file(), logger: silentLogger, clock: new ManualTime() }).load();

describe("several processes on one file of service maps (R2)", () => {
  test(
    "two that raise the floor 100 times each at once: it is raised 200 times, and each saw it rise",
    { timeout: 60_000 },
    async () => {
      const args = [PROCESS, "count", file(), "100"];
      const both = await Promise.all([run(process.execPath, args), run(process.execPath, args)]);
      const seen = both.map((printed) => printed.split("\n").map(Number));
      for (const floors of seen) expect(floors).toEqual(floors.toSorted((a, b) => a - b));
      expect(seen.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
      expect((await stored())?.floor?.generatedAtMs).toBe(200);
      expect(await readdir(path.dirname(file()))).toEqual(["service-map.json"]);
    },
  );

  test("on a disk that is full the change rejects, and what was stored stays (a limit on the size of files)", async () => {
    await mkdir(path.dirname(file()), { mode: 0o700 });
    await run(process.execPath, [PROCESS, "count", file(), "3"]);
    const before = await stored();
    // 64 blocks of 512 or 1,024 bytes: enough for a lock file, too little for a map of a megabyte.
    const limited = 'ulimit -f 64; exec "$0" "$@"';
    const printed = await run("sh", ["-c", limited, process.execPath, PROCESS, "fill", file()]);
    expect(printed).toContain(`REGISTRY_IO cannot write ${file()}`);
    expect(await stored()).toEqual(before);
    expect(await readdir(path.dirname(file()))).toEqual(["service-map.json"]);
  });
});
