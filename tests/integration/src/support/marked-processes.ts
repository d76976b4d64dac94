import { readdirSync, readFileSync } from "node:fs";

/**
 * Every living process whose environment holds `mark`, whoever its parent is by now (Linux).
 * @returns process ids
 */
export function processesMarked(mark: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => environmentOf(pid).includes(mark));
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    // It ended between the two reads, or is a zombie with nothing left.
    return "";
  }
}
