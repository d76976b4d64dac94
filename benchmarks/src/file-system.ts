import { statfs } from "node:fs/promises";

/** The numbers that Linux gives to file systems (`statfs(2)`). */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0xef53, "ext4"],
  [0x58465342, "xfs"],
  [0x9123683e, "btrfs"],
  [0x794c7630, "overlayfs"],
  [0x01021994, "tmpfs"],
]);

/** What a folder is on: what a sync costs depends on nothing more. On `tmpfs` it costs nothing, and says nothing. */
export async function fileSystemOf(folder: string): Promise<string> {
  const { type } = await statfs(folder);
  return NAMES.get(type) ?? `file system 0x${type.toString(16)}`;
}
