import { readFileSync, writeFileSync } from "node:fs";

const BYTES_PER_KIB = 1_024;

/**
 * Memory of a process that is in RAM (Linux).
 * @returns bytes
 */
export const residentBytesOf = (pid: number): number => statusBytes(pid, "VmRSS");

/**
 * The most of it since {@link forgetPeakOf}, as the kernel keeps it: no peak falls between two samples.
 * @returns bytes
 */
export const peakResidentBytesOf = (pid: number): number => statusBytes(pid, "VmHWM");

/** Begins {@link peakResidentBytesOf} anew. */
export function forgetPeakOf(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

function statusBytes(pid: number, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "latin1"));
  if (found === null) throw new Error(`/proc/${pid}/status does not tell ${name}`);
  return Number(found[1]) * BYTES_PER_KIB;
}
