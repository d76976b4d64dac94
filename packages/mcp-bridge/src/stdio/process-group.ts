import { readdir, readFile } from "node:fs/promises";

/** Sends a signal to every process of a group; a group that is gone, or not ours to signal, is left alone. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // ESRCH: nobody is left. EPERM: what is left runs as another user; the caller's bound on waiting deals with it.
  }
}

/**
 * Whether no process of the group is running any more. Zombies count as gone: they hold nothing, and where process 1 does
 * not reap they stay for ever.
 */
export async function isGroupGone(group: number): Promise<boolean> {
  try {
    process.kill(-group, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
  return process.platform === "linux" && (await groupMembers(group)).length === 0;
}

/** The ids of the processes of a group that are running, by `/proc`; zombies are left out. Linux only. */
export async function groupMembers(group: number): Promise<number[]> {
  const members: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    // pid (comm) state ppid pgrp …; comm may hold spaces and parentheses, so the last ")" ends it.
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    const [state, , processGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (processGroup === String(group) && state !== "Z" && state !== "X") members.push(Number(name));
  }
  return members;
}
