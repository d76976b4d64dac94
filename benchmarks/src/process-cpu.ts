import { readdirSync, readFileSync } from "node:fs";

const NANOS_PER_SECOND = 1e9;

/**
 * CPU time that a process has used since it began, all its threads together, as the scheduler counts it in nanoseconds (Linux, `schedstat` in `proc(5)`): the ticks that
 * `stat` counts are 10 ms each, too coarse for a short round.
 * @returns seconds
 */
export function cpuSecondsOf(pid: number): number {
  let nanos = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) nanos += nanosOf(pid, thread);
  return nanos / NANOS_PER_SECOND;
}

function nanosOf(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")[0]);
  } catch (error) {
    // It ended between the listing and the reading.
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH")) return 0;
    throw error;
  }
}
