import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { stdioMainPath } from "@cortex-os/fixture-server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { processesMarked } from "./support/marked-processes.js";

/** How often the gateway dies. */
const ROUNDS = Number(process.env["CORTEX_KILL_ROUNDS"] ?? 20);
/** Three trees of a lifeline, its watcher, a wrapper, a shell and a server each. */
const PROCESSES = 15;
const main = join(dirname(fileURLToPath(import.meta.resolve("cortex-mcp/package.json"))), "bundle", "main.js");

let home: string;
let mark: string;

beforeEach(async () => {
  mark = `CORTEX_TEST_MARK=${randomUUID()}`;
  home = await mkdtemp(join(tmpdir(), "cortex-kill-"));
  // As npx does it: a wrapper, a shell, and below them the server, which ignores end of file and SIGTERM.
  const wrapper = join(home, "npx-like.mjs");
  await writeFile(
    wrapper,
    `import { spawn } from "node:child_process";
process.on("SIGTERM", () => {});
spawn("sh", ["-c", '"$0" "$1" --ignore-eof; true', process.execPath, process.argv[2]], { stdio: "inherit" });
`,
  );
  const [key, value] = mark.split("=");
  const servers = Array.from({ length: 3 }, (_, at) => ({
    name: `tree${at}`,
    command: process.execPath,
    args: [wrapper, stdioMainPath],
    env: { [key ?? ""]: value ?? "" },
  }));
  await mkdir(join(home, "mcp"), { recursive: true });
  await writeFile(join(home, "mcp", "servers.json"), JSON.stringify({ servers }));
});

afterEach(async () => {
  for (const pid of processesMarked(mark)) process.kill(pid, "SIGKILL");
  await rm(home, { recursive: true, force: true });
});

describe("a gateway that is killed (R8)", () => {
  test("leaves no process behind, however its children are wrapped and whatever they ignore", async () => {
    let seen = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const gateway = spawn(process.execPath, [main, "serve", "--port", "0"], {
        env: { ...process.env, CORTEX_HOME: home },
        stdio: ["ignore", "pipe", "ignore"],
      });
      for await (const line of createInterface({ input: gateway.stdout })) if (line.includes("http://")) break;
      await vi.waitFor(() => expect(processesMarked(mark)).toHaveLength(PROCESSES), { timeout: 20_000 });
      seen += PROCESSES;
      gateway.kill("SIGKILL");
      await once(gateway, "exit");
      await vi.waitFor(() => expect(processesMarked(mark)).toEqual([]), { timeout: 5_000 });
    }
    process.stdout.write(`${ROUNDS} gateways killed, ${seen} processes below them, 0 left\n`);
  }, 300_000);
});
