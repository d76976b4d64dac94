import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { errnoOf } from "./io-error.js";

/** Tells one process from every other, also from a later one that got its number. Empty strings: the platform does not say. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Which start of the machine this is. */
  readonly bootId: string;
  /** The process id namespace: a number means nothing outside of it. */
  readonly namespace: string;
  /** When the process started, in clock ticks since boot, as the kernel prints it. */
  readonly startTime: string;
}

/** Whether a process is there; `unknown` when this process cannot tell. */
export type Liveness = "alive" | "gone" | "unknown";

let own: ProcessIdentity | undefined;

/** The identity of this process. It stays what it is, and is looked up once. */
export function ownIdentity(): ProcessIdentity {
  own ??= {
    pid: process.pid,
    host: hostname(),
    bootId: orEmpty(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    namespace: orEmpty(() => readlinkSync("/proc/self/ns/pid")),
    startTime: orEmpty(() => parseProcStat(readFileSync("/proc/self/stat", "utf8"))?.startTime ?? ""),
  };
  return own;
}

/**
 * Whether `other` is still there, as far as `self` can see. Never guesses: what runs on another machine or in another container is
 * `unknown`.
 *
 * @param startTimeOf the start time of a process here, empty when it cannot be told, `undefined` when there is no such process
 */
export function livenessOf(
  other: ProcessIdentity,
  self: ProcessIdentity,
  startTimeOf: (pid: number) => string | undefined = startTimeOfPid,
): Liveness {
  const sameBoot = other.bootId === self.bootId;
  // The machine was started again, unless it is another one; without boot ids the host name is all there is to go by.
  if (!sameBoot) return other.host === self.host && other.bootId !== "" && self.bootId !== "" ? "gone" : "unknown";
  if (self.bootId === "" && other.host !== self.host) return "unknown";
  if (other.namespace !== self.namespace) return "unknown";
  try {
    const startTime = startTimeOf(other.pid);
    if (startTime === undefined) return "gone";
    return startTime === other.startTime || startTime === "" || other.startTime === "" ? "alive" : "gone";
  } catch {
    return "unknown";
  }
}

/** State and start time in a `/proc/<pid>/stat`; `undefined` for a text that is none. A process name may hold spaces and brackets. */
export function parseProcStat(text: string): { readonly state: string; readonly startTime: string } | undefined {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, startTime] = [fields[0], fields[19]];
  return state === undefined || startTime === undefined ? undefined : { state, startTime };
}

/** A zombie counts as none: it will never give anything back. */
function startTimeOfPid(pid: number): string | undefined {
  try {
    const stat = parseProcStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
    return stat?.state === "Z" || stat?.state === "X" ? undefined : (stat?.startTime ?? "");
  } catch (error) {
    if (errnoOf(error) !== "ENOENT" && errnoOf(error) !== "ESRCH") throw error;
  }
  // Where there is no `/proc` the number is all there is to go by.
  return isRunning(pid) ? "" : undefined;
}

/** Whether there is a process of that number here, whoever it is. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === "EPERM";
  }
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
