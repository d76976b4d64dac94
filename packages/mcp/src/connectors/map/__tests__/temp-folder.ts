import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach } from "vitest";

/** A folder of its own for each test; a lock or temporary file left in it fails the test. */
export function useTempFolder(): (...names: string[]) => string {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "cortex-map-"));
  });
  afterEach(async () => {
    const names = await readdir(folder, { recursive: true });
    await rm(folder, { recursive: true, force: true });
    const left = names.filter((name) => /\.lock|\.tmp/.test(name));
    if (left.length > 0) throw new Error(`the test left ${left.join(", ")} behind`);
  });
  return (...names) => path.join(folder, ...names);
}
