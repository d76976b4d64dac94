import { readdirSync, readFileSync } from "node:fs";

/** What a process holds at a moment (Linux). */
export interface ProcessSize {
  /** Open file descriptors, sockets and pipes among them. */
  readonly descriptors: number;
  /** Memory that is in RAM, in MiB. */
  readonly memoryMiB: number;
}

const PAGE_BYTES = 4096;

/** Looks at a living process. */
export function processSize(pid: number): ProcessSize {
  const [, residentPages = "0"] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
  const memoryMiB = Math.round((Number(residentPages) * PAGE_BYTES) / 2 ** 20);
  return { descriptors: readdirSync(`/proc/${pid}/fd`).length, memoryMiB };
}
