import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";

/** A variable in the environment of all that a run starts: it tells its processes from others, whoever their parent is. */
export interface ProcessMark {
  readonly env: Readonly<Record<string, string>>;
  /** The living processes that have it, by id and command. Empty where there is no `/proc`. */
  readonly living: () => readonly MarkedProcess[];
}

/** A process that was found by its mark. */
export interface MarkedProcess {
  readonly pid: number;
  readonly command: string;
}

/** Makes a mark that no other process has. */
export function newProcessMark(): ProcessMark {
  const value = randomUUID();
  return {
    env: { CORTEX_RUN_MARK: value },
    living: () =>
      readdirOrNone("/proc")
        .filter((name) => /^\d+$/.test(name))
        .filter((pid) => readOrEmpty(`/proc/${pid}/environ`).split("\0").includes(`CORTEX_RUN_MARK=${value}`))
        .map((pid) => ({
          pid: Number(pid),
          command: readOrEmpty(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim(),
        })),
  };
}

function readdirOrNone(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // It ended meanwhile, or is not ours to read.
    return "";
  }
}
