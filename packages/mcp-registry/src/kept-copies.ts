import path from "node:path";
import type { RegistryFiles } from "./registry-files.js";

/** How many ends of journals that were cut off are kept. They were acknowledged by nobody. */
const MOST_TORN = 10;

/**
 * Gives a damaged file a second name beside it, `<file>.corrupt-<UTC time>`, so that it is there when something else takes its place. One that
 * has such a name already gets no other.
 *
 * @param isStaying whether the file itself stays for now: an editor that writes over it would write over a second name, too
 * @returns the name, without the folder
 */
export function keepCorrupt(files: RegistryFiles, file: string, atMs: number, isStaying = false): string {
  const prefix = `${path.basename(file)}.corrupt-`;
  const bytes = files.read(file, Infinity)?.bytes;
  for (const name of namesWith(files, prefix)) {
    if (bytes !== undefined && files.read(path.join(files.folder, name), Infinity)?.bytes.equals(bytes) === true)
      return name;
  }
  const name = freeName(files, prefix, atMs);
  const copy = path.join(files.folder, name);
  if (isStaying && bytes !== undefined) files.replace(copy, bytes);
  else files.linkOver(file, copy);
  return name;
}

/** Keeps the end of a journal that was cut off as `<journal>.torn-<UTC time>`; of many only the newest. */
export function keepTorn(files: RegistryFiles, tail: Uint8Array, atMs: number): void {
  const prefix = `${path.basename(files.log)}.torn-`;
  const name = freeName(files, prefix, atMs);
  files.create(path.join(files.folder, name), tail);
  for (const old of namesWith(files, prefix).slice(0, -MOST_TORN)) files.discard(path.join(files.folder, old));
}

function freeName(files: RegistryFiles, prefix: string, atMs: number): string {
  const stamp = new Date(atMs).toISOString().replaceAll(/[-:.]/g, "");
  const taken = new Set(files.fs.list(files.folder));
  let name = prefix + stamp;
  for (let more = 2; taken.has(name); more++) name = `${prefix}${stamp}-${more}`;
  return name;
}

/** Oldest first: the time is in the name. */
const namesWith = (files: RegistryFiles, prefix: string): readonly string[] =>
  files.fs
    .list(files.folder)
    .filter((name) => name.startsWith(prefix) && !name.includes(".tmp-"))
    .toSorted();
