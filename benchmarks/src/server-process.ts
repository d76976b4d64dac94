import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { withTemporaryFolder } from "./temporary-folder.js";

/** A server in a process of its own, so that its CPU time can be told from the load's. */
export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
}

/** Where servers can be started that end when the work ends. */
export interface Servers {
  /** Empty at first, gone afterwards. */
  readonly folder: string;
  /**
   * Starts `node ARGS` and waits for the first line on its stdout that holds a URL. Our own settings in the environment do not reach it.
   * @throws Error when it ends before that
   */
  readonly start: (args: readonly string[], env?: NodeJS.ProcessEnv) => Promise<ServerProcess>;
  /**
   * Starts a program that does not say where it serves, but was told to serve at `url`; it need not be ready when this returns.
   * @throws Error when there is no such program
   */
  readonly startAt: (url: string, command: string, args: readonly string[]) => Promise<ServerProcess>;
}

const OWN_SETTINGS = /^(?:CORTEX_|CONNECTORS_|MCP_CONNECTOR_)/;
const SHOWN_LOG_LINES = 20;

/**
 * Does `work` and ends every server that it started, however it ends.
 * @throws whatever `work` throws, with the last lines that the servers logged
 */
export async function withServers<T>(work: (servers: Servers) => Promise<T>): Promise<T> {
  return withTemporaryFolder(async (folder) => {
    const log = path.join(folder, "servers.log");
    const children: ChildProcess[] = [];
    const run = async (command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<ChildProcess> => {
      const logging = await open(log, "a");
      const inherited = Object.entries(process.env).filter(([name]) => !OWN_SETTINGS.test(name));
      const child = spawn(command, args, {
        stdio: ["ignore", "pipe", logging.fd],
        env: { ...Object.fromEntries(inherited), ...env },
      });
      await once(child, "spawn");
      await logging.close();
      children.push(child);
      return child;
    };
    const start: Servers["start"] = async (args, env = {}) => {
      const child = await run(process.execPath, args, env);
      return { url: await firstUrl(child), pid: pidOf(child) };
    };
    const startAt: Servers["startAt"] = async (url, command, args) => {
      const child = await run(command, args, {});
      // Whatever it prints must not fill the pipe.
      child.stdout?.resume();
      return { url, pid: pidOf(child) };
    };
    try {
      return await work({ folder, start, startAt });
    } catch (error) {
      const lines = (await readFile(log, "utf8").catch(() => "")).trimEnd().split("\n");
      const tail = lines.slice(-SHOWN_LOG_LINES).join("\n");
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${tail}`, { cause: error });
    } finally {
      await Promise.all(children.map(ended));
    }
  });
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error("a process that was spawned has no id");
  return pid;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  await gone;
}

async function firstUrl({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error("no stdout to read");
  for await (const line of createInterface({ input: stdout })) {
    const url = /http:\/\/\S+/.exec(line)?.[0];
    if (url === undefined) continue;
    // Whatever it prints later must not fill the pipe.
    stdout.resume();
    return url;
  }
  throw new Error("the server ended before it was ready");
}
