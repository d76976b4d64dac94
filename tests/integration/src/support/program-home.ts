import { spawn, type ChildProcessByStdio } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { expect, onTestFinished } from "vitest";
import { processesMarked } from "./marked-processes.js";

const main = join(dirname(fileURLToPath(import.meta.resolve("cortex-mcp/package.json"))), "bundle", "main.js");

/** What a command of the program came to. */
export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A process of the program that serves something until it is stopped. */
export interface ServingProcess {
  readonly pid: number;
  /** Where it serves, as it said in its first line. */
  readonly url: string;
  /** What it wrote on standard error so far, a line each. */
  readonly log: readonly string[];
  /** Sends the signal and gives the exit code, `null` when the signal ended it. Idempotent. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** A folder of its own in which the built program runs, as a person's home. It is gone after the test, and so must be all its processes. */
export interface ProgramHome {
  readonly folder: string;
  /** What the environment of each of its processes, and of their children, holds. */
  readonly mark: string;
  /** How others start the program in it. */
  command(...words: readonly string[]): { command: string; args: string[]; cwd: string; env: Record<string, string> };
  /** Runs a command to its end. */
  run(...words: readonly string[]): Promise<Ran>;
  /** Runs `serve` or `map serve` until the test is over. */
  serving(words: readonly string[], env?: Readonly<Record<string, string>>): Promise<ServingProcess>;
  writeRegistry(servers: readonly ServerInfo[]): Promise<void>;
}

/** Makes a home whose processes have `env` and nothing of ours from this process's environment. */
export async function programHome(env: Readonly<Record<string, string>> = {}): Promise<ProgramHome> {
  const folder = await mkdtemp(join(tmpdir(), "cortex-map-"));
  const mark = `CORTEX_TEST_MARK=${randomUUID()}`;
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(CORTEX|CONNECTORS|MCP)_/.test(name)),
  );
  const [key = "", value = ""] = mark.split("=");
  const environment = { ...inherited, CORTEX_HOME: folder, [key]: value, ...env };
  const start = (words: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    spawn(process.execPath, [main, ...words], {
      cwd: folder,
      env: { ...environment, ...more },
      stdio: ["ignore", "pipe", "pipe"],
    });
  onTestFinished(async () => {
    const left = processesMarked(mark);
    for (const pid of left) process.kill(pid, "SIGKILL");
    await rm(folder, { recursive: true, force: true });
    expect(left).toEqual([]);
  });
  return {
    folder,
    mark,
    command: (...words) => ({
      ...{ command: process.execPath, args: [main, ...words], cwd: folder },
      env: Object.fromEntries(
        Object.entries(environment).flatMap(([name, held]) => (held === undefined ? [] : [[name, held] as const])),
      ),
    }),
    run: async (...words) => {
      const child = start(words);
      const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
      return { code: child.exitCode, out: out.trimEnd(), err: err.trimEnd() };
    },
    serving: async (words, more) => served(start(words, more)),
    writeRegistry: async (servers) => {
      await mkdir(join(folder, "mcp"), { recursive: true });
      await writeFile(join(folder, "mcp", "servers.json"), JSON.stringify({ servers }));
    },
  };
}

async function served(child: ChildProcessByStdio<null, Readable, Readable>): Promise<ServingProcess> {
  const closed = once(child, "close");
  const log: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => log.push(line));
  const stop = async (signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await closed;
    return child.exitCode;
  };
  onTestFinished(async () => {
    await stop();
  });
  const first = await Promise.race([once(child.stdout.setEncoding("utf8"), "data"), closed]);
  const url = /http:\/\/[^\s"]+/.exec(String(first[0]))?.[0];
  if (url === undefined || child.pid === undefined) throw new Error(`it does not serve: ${log.join("\n")}`);
  child.stdout.resume();
  return { pid: child.pid, url, log, stop };
}
