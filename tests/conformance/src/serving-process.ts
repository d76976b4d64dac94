import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A Node program that serves until it is stopped. */
export interface ServingProcess {
  /** Where it serves, as its first line says. */
  readonly url: string;
  /** What it wrote on standard error so far, a line each. */
  readonly log: readonly string[];
  /** Asks it to stop and gives its exit code, `null` when a signal ended it. Idempotent. */
  readonly stop: () => Promise<number | null>;
}

/** Variables that are meant for a gateway of the person who runs this. */
const OWN_SETTINGS = /^(?:CORTEX_(?!RUN_MARK)|CONNECTORS_|MCP_CONNECTOR_)/;

/**
 * Starts a Node program in `folder` and waits until it says where it serves.
 * @throws Error with what it wrote on standard error, when it ends before that
 */
export async function startServing(
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ServingProcess> {
  const inherited = Object.entries(process.env).filter(([name]) => !OWN_SETTINGS.test(name));
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = once(child, "close");
  const log: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => log.push(line));
  const stop = async (): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    await closed;
    return child.exitCode;
  };
  const [line] = await Promise.race([once(child.stdout.setEncoding("utf8"), "data"), closed]);
  const url = /http:\/\/[^\s"]+/.exec(String(line))?.[0];
  if (url === undefined) {
    await stop();
    throw new Error(`${args.join(" ")} does not serve:\n${log.join("\n")}`);
  }
  child.stdout.resume();
  return { url, log, stop };
}
