import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The suite starts on no older one. */
const LEAST_MAJOR = 22;
const FETCH_SCRIPT = fileURLToPath(new URL("../../../scripts/node-24.mjs", import.meta.url));

/**
 * Returns the path of a Node that the suite runs on: this process's own, or a Node 24 that is fetched once.
 * @throws Error when this one is too old and none can be had
 */
export function findSuiteNode(): string {
  const [major = ""] = process.versions.node.split(".");
  if (Number(major) >= LEAST_MAJOR) return process.execPath;
  return execFileSync(process.execPath, [FETCH_SCRIPT], { encoding: "utf8" }).trim();
}
