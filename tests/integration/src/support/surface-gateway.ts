import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { processesMarked } from "./marked-processes.js";

const main = join(dirname(fileURLToPath(import.meta.resolve("cortex-mcp/package.json"))), "bundle", "main.js");

/** A `cortex-mcp serve` of its own home, for as many clients as a test file has. */
export interface SurfaceGateway {
  /** The endpoint. */
  readonly url: string;
  /** What a desktop client starts instead. */
  readonly stdio: { readonly command: string; readonly args: string[]; readonly env: Record<string, string> };
  /** Every living process that it, its clients' relays and its connectors have started. */
  processes(): readonly number[];
  /** @throws Error naming the processes that are left, having ended them */
  close(): Promise<void>;
}

/** Starts one with these servers and this configuration, and waits until it serves. */
export async function startSurfaceGateway(servers: readonly ServerInfo[], config: object): Promise<SurfaceGateway> {
  const home = await mkdtemp(join(tmpdir(), "cortex-surface-"));
  await mkdir(join(home, "mcp"));
  await writeFile(join(home, "mcp", "servers.json"), JSON.stringify({ servers }));
  await writeFile(join(home, "mcp", "config.json"), JSON.stringify(config));
  const mark = randomUUID();
  const env = { PATH: process.env["PATH"] ?? "", CORTEX_HOME: home, CORTEX_TEST_MARK: mark };
  const child = spawn(process.execPath, [main, "serve", "--json", "--port", "0"], {
    cwd: home,
    env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const closed = once(child, "close");
  const [line] = await Promise.race([once(child.stdout.setEncoding("utf8"), "data"), closed]);
  const { url } = JSON.parse(String(line)) as { url: string };
  child.stdout.resume();
  const processes = (): readonly number[] => processesMarked(`CORTEX_TEST_MARK=${mark}`);
  return {
    url,
    stdio: { command: process.execPath, args: [main, "stdio"], env },
    processes,
    close: async () => {
      child.kill("SIGTERM");
      await closed;
      const left = processes();
      for (const pid of left) process.kill(pid, "SIGKILL");
      await rm(home, { recursive: true, force: true });
      if (left.length > 0) throw new Error(`processes were left: ${left.join(", ")}`);
    },
  };
}
