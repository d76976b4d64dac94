import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { request } from "undici";
import { appPath } from "./program-paths.js";
import type { ServerProcess, Servers } from "./server-process.js";

/** A gateway in a process of its own, and when it was spawned. */
export interface ManyGateway extends ServerProcess {
  readonly spawnedMs: number;
  /** The value of one series of its `/metrics`. */
  readonly metric: (series: string) => Promise<number>;
}

const POLL_MS = 100;
const PATIENCE_MS = 600_000;
/** More than any of the suites opens. */
const CONNECTIONS = "20000";

/** Starts the app as its users do, with these HTTP upstreams in its registry. */
export async function startGateway({ start, folder }: Servers, upstreams: readonly string[]): Promise<ManyGateway> {
  const home = path.join(folder, `home-${upstreams.length}-${performance.now().toFixed(0)}`);
  await mkdir(path.join(home, "mcp"), { recursive: true });
  const servers = upstreams.map((endpoint, at) => ({ name: connectorName(at), transport: "http", endpoint }));
  await writeFile(path.join(home, "mcp", "servers.json"), JSON.stringify({ servers }));
  const spawnedMs = performance.now();
  const gateway = await start([appPath, "serve", "--port", "0"], {
    CORTEX_HOME: home,
    CORTEX_MCP_LOG_LEVEL: "warn",
    CORTEX_MCP_LIMITS_CONNECTIONS: CONNECTIONS,
  });
  const metrics = new URL("/metrics", gateway.url);
  const metric = async (series: string): Promise<number> => {
    const { body } = await request(metrics);
    const line = (await body.text()).split("\n").find((each) => each.startsWith(`${series} `));
    return Number(line?.slice(series.length + 1) ?? Number.NaN);
  };
  return { ...gateway, spawnedMs, metric };
}

/** The name of the connector at that place. */
export const connectorName = (at: number): string => `c${String(at).padStart(4, "0")}`;

/**
 * Asks again and again until it is true.
 * @throws Error when it is not after ten minutes
 */
export async function until(is: () => Promise<boolean>, everyMs = POLL_MS): Promise<void> {
  const givenUp = performance.now() + PATIENCE_MS;
  while (!(await is())) {
    if (performance.now() > givenUp) throw new Error("what was waited for did not come about");
    await setTimeout(everyMs);
  }
}
