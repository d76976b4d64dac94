// Finding what a run left behind: every process it starts, and every process those start, inherits a mark in its
// environment. Without `/proc` nothing can be told, and nothing is claimed.
import { readdirSync, readFileSync } from "node:fs";

/** The variable that carries the mark. */
export const MARK = "CORTEX_RUN_MARK";

/** @param {string} file */
function readOrEmpty(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // Gone meanwhile, or not ours to read.
    return "";
  }
}

/**
 * The living processes that were started with `MARK=mark` in their environment; `undefined` where there is no `/proc`.
 *
 * @param {string} mark
 * @returns {{ pid: number, command: string }[] | undefined}
 */
export function markedProcesses(mark) {
  if (readOrEmpty("/proc/self/stat") === "") return undefined;
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && readOrEmpty(`/proc/${pid}/environ`).split("\0").includes(`${MARK}=${mark}`))
    .map((pid) => ({ pid, command: readOrEmpty(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim() }));
}
