import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach } from "vitest";
import { parseRegistryFile } from "../document/registry-file.js";

/** A folder of its own for each test of the file. */
export interface TempFolder {
  /** The path of something in it. */
  at(...names: string[]): string;
}

/** Leftovers that no operation may leave behind it: a lock, its guard, or a temporary file. */
const LEFTOVER = /\.lock|\.tmp/;

/** Makes a folder before each test and removes it after; a lock, a temporary file or an open file left in it fails the test. */
export function useTempFolder(): TempFolder {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "cortex-registry-"));
  });
  afterEach(async () => {
    const names = await readdir(folder, { recursive: true });
    const open = openFilesIn(folder);
    await rm(folder, { recursive: true, force: true });
    const left = [...names.filter((name) => LEFTOVER.test(name)), ...open.map((file) => `${file}, open`)];
    if (left.length > 0) throw new Error(`the test left ${left.join("; ")} behind`);
  });
  return { at: (...names) => path.join(folder, ...names) };
}

/** The files that this process has open in a folder, where the system tells. */
function openFilesIn(folder: string): string[] {
  const descriptors = "/proc/self/fd";
  if (!existsSync(descriptors)) return [];
  return readdirSync(descriptors).flatMap((fd) => {
    try {
      const file = readlinkSync(path.join(descriptors, fd));
      return file.startsWith(folder + path.sep) ? [file.slice(folder.length + 1)] : [];
    } catch {
      // The one that listed them.
      return [];
    }
  });
}

/** The JSON a file holds. */
export async function readJson(file: string): Promise<unknown> {
  const value: unknown = JSON.parse(await readFile(file, "utf8"));
  return value;
}

/** What a registry file says besides which generation it is. */
export async function contentOf(file: string): Promise<unknown> {
  const { _meta: _, ...content } = (await readJson(file)) as Record<string, unknown>;
  return content;
}

/** The names of the servers in a registry file, in its order. */
export async function namesIn(file: string): Promise<string[]> {
  const parsed = parseRegistryFile(await readFile(file, "utf8"));
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.document.items.map(({ name }) => name ?? "");
}
