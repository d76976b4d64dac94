import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { readChecks, type Check } from "./checks.js";
import type { SuiteRun } from "./suite-runs.js";

/** Many times what the longest run takes. */
const MOST_MS = 120_000;

/** Runs the suite's server mode against a URL and returns every check. */
export async function runServerSuite(
  node: string,
  { suite, revision }: SuiteRun,
  url: string,
): Promise<readonly Check[]> {
  const out = await mkdtemp(path.join(tmpdir(), "cortex-conformance-"));
  try {
    const program = fileURLToPath(import.meta.resolve(`${suite}/dist/index.js`));
    const child = spawn(
      node,
      [program, "server", "--url", url, "--suite", "all", "--spec-version", revision, "-o", out],
      { cwd: out, stdio: ["ignore", "pipe", "pipe"], timeout: MOST_MS, killSignal: "SIGKILL" },
    );
    const [said, complained] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    if (child.signalCode !== null) {
      throw new Error(`the suite was still running after ${MOST_MS} ms:\n${said}${complained}`);
    }
    // It exits with 1 when a check fails: the checks themselves say that better.
    return await readChecks(out);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}
