import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { readChecks, type Check } from "../checks.js";
import type { ClientRun } from "./client-runs.js";
import { startPlayer } from "./player.js";

/** Many times what the longest run takes. */
const MOST_MS = 180_000;

/** Runs the suite's client mode with a gateway between our client and the scenarios' servers, and returns every check. */
export async function runClientSuite(
  node: string,
  { suite, revision }: Pick<ClientRun, "suite" | "revision">,
): Promise<readonly Check[]> {
  const out = await mkdtemp(path.join(tmpdir(), "cortex-conformance-"));
  const player = await startPlayer();
  try {
    const program = fileURLToPath(import.meta.resolve(`${suite}/dist/index.js`));
    // Built, also when this is not.
    const client = fileURLToPath(new URL("../../dist/client/client-main.js", import.meta.url));
    const command = `${process.execPath} ${client}`;
    const child = spawn(
      node,
      [program, "client", "--command", command, "--suite", "all", "--spec-version", revision, "-o", out],
      {
        ...{ cwd: out, stdio: ["ignore", "pipe", "pipe"], timeout: MOST_MS, killSignal: "SIGKILL" },
        env: { ...process.env, CORTEX_CONFORMANCE_PLAYER: player.url },
      },
    );
    const [said, complained] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    if (child.signalCode !== null) {
      throw new Error(`the suite was still running after ${MOST_MS} ms:\n${said}${complained}`);
    }
    // It exits with 1 when a check fails: the checks themselves say that better.
    return await readChecks(out);
  } finally {
    await player.close();
    await rm(out, { recursive: true, force: true });
  }
}
