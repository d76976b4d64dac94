import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

/** One verdict of the suite. */
export interface Check {
  readonly scenario: string;
  readonly id: string;
  readonly status: string;
  /** What the suite says of it, when it does not like it. */
  readonly message: string | undefined;
}

/** How many checks of a run ended how. What is neither passed, failed nor warned of is information. */
export interface Score {
  readonly passed: number;
  readonly failed: number;
  readonly warnings: number;
}

/** A scenario's folder is named after it and the time of its run, in server mode with a word before; names with a slash are folders in folders. */
const SCENARIO_FOLDER = /^(?:server-)?(?<scenario>.+)-\d{4}-\d{2}-\d{2}T[\d-]+Z$/;

/**
 * Reads what a run of the suite left in its folder. A check's id may occur several times in a scenario.
 * @throws Error when there is nothing: a run that checked nothing must not look like one without a failure
 */
export async function readChecks(folder: string): Promise<readonly Check[]> {
  const checks: Check[] = [];
  for (const name of (await readdir(folder, { recursive: true })).toSorted()) {
    const scenario = SCENARIO_FOLDER.exec(name)?.groups?.["scenario"];
    if (scenario === undefined) continue;
    const text = await readFile(path.join(folder, name, "checks.json"), "utf8");
    const found = JSON.parse(text) as readonly { id: string; status: string; errorMessage?: string }[];
    for (const { id, status, errorMessage } of found) checks.push({ scenario, id, status, message: errorMessage });
  }
  if (checks.length === 0) throw new Error(`the suite left no check in ${folder}`);
  return checks;
}

/** Counts the checks of a run. */
export function scoreOf(checks: readonly Check[]): Score {
  const count = (wanted: string): number => checks.filter(({ status }) => status === wanted).length;
  return { passed: count("SUCCESS"), failed: count("FAILURE"), warnings: count("WARNING") };
}

/** The checks that did not pass, a line each, with the suite's own words. */
export function complaintsOf(checks: readonly Check[]): readonly string[] {
  return checks
    .filter(({ status }) => status === "FAILURE" || status === "WARNING")
    .map(({ scenario, id, status, message }) => `${scenario} ${id}: ${status}: ${message ?? "no message"}`);
}
