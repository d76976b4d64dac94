import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { request } from "node:http";
import path from "node:path";
import { createInterface } from "node:readline";
import { json } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ConnectorStatus } from "@cortex-os/mcp-core";

/** The gateway's program, as its users start it. */
const PROGRAM = fileURLToPath(import.meta.resolve("cortex-mcp/bundle/main.js"));

/** What the program's own environment must not tell the gateway. */
const OWN_SETTINGS = /^(?:CORTEX_|CONNECTORS_|MCP_CONNECTOR_)/;

const LOOK_EVERY_MS = 250;
const SETTLED_WITHIN_MS = 180_000;

/** A gateway in a process of its own. */
export interface GatewayProcess {
  /** Where clients reach it. */
  readonly url: string;
  /** What each connector came to, once none of them is connecting any more, or after three minutes. */
  readonly settled: () => Promise<readonly ConnectorStatus[]>;
  /** Asks it to stop and gives its exit code, `null` when a signal ended it. */
  readonly stop: () => Promise<number | null>;
}

/**
 * Starts `cortex-mcp serve` on a free port and waits until it has said where it serves and `/readyz` agrees.
 * A signal that ends this program reaches it too.
 * @throws Error with its log, when it ends before that
 */
export async function startGateway(home: string, env: Readonly<Record<string, string>>): Promise<GatewayProcess> {
  const inherited = Object.entries(process.env).filter(([name]) => !OWN_SETTINGS.test(name));
  const child = spawn(process.execPath, [PROGRAM, "serve", "--port", "0"], {
    cwd: home,
    env: { ...Object.fromEntries(inherited), CORTEX_HOME: home, ...env },
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
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stop());

  const [line] = await Promise.race([once(child.stdout.setEncoding("utf8"), "data"), closed]);
  const url = /http:\/\/[^\s"]+/.exec(String(line))?.[0];
  if (url === undefined) throw new Error(`the gateway does not serve:\n${log.join("\n")}`);
  child.stdout.resume();
  await until(async () => (await fetch(new URL("/readyz", url))).ok);
  return {
    url,
    settled: async () => {
      const { socket } = JSON.parse(await readFile(path.join(home, "mcp", "gateway.json"), "utf8")) as {
        socket: string;
      };
      let connectors = await statuses(socket);
      await until(async () => {
        connectors = await statuses(socket);
        return connectors.every(({ state }) => state !== "connecting");
      });
      return connectors;
    },
    stop,
  };
}

/** Asks again and again until it is so, or three minutes have passed. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const givenUpAt = performance.now() + SETTLED_WITHIN_MS;
  while (!(await isSo()) && performance.now() < givenUpAt) await sleep(LOOK_EVERY_MS);
}

async function statuses(socketPath: string): Promise<readonly ConnectorStatus[]> {
  const answer = await new Promise((resolve, reject) => {
    request({ socketPath, path: "/api/v1/status", agent: false }, (response) => {
      json(response).then(resolve, reject);
    })
      .on("error", reject)
      .end();
  });
  return (answer as { readonly connectors: readonly ConnectorStatus[] }).connectors;
}
