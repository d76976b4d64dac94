import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { startFixtureHttp } from "@cortex-os/fixture-server";
import { pairUp, type Comparison } from "./comparison.js";
import { listTools } from "./list-tools.js";
import type { OnRound } from "./on-round.js";
import { appPath } from "./program-paths.js";
import { withServers } from "./server-process.js";
import { withTemporaryFolder } from "./temporary-folder.js";

/** How many connectors of which slowness, and how often. */
export interface WarmStartOptions {
  readonly connectors: number;
  /** How long each connector takes to list, in milliseconds. */
  readonly listDelayMs: number;
  readonly rounds: number;
}

/**
 * From spawning `cortex-mcp serve` to a complete `tools/list`: with nothing stored and with the catalog of the run before, beside Node's own start (`node -e 0`), all
 * in the same rounds. The connectors are real servers on loopback, in this process.
 *
 * @throws Error when a list is not complete
 */
export async function measureWarmStart(options: WarmStartOptions, onRound: OnRound): Promise<Comparison[]> {
  const { connectors, listDelayMs, rounds } = options;
  const coldMs: number[] = [];
  const warmMs: number[] = [];
  const nodeMs: number[] = [];
  const servers = await Promise.all(Array.from({ length: connectors }, async () => startFixtureHttp({ listDelayMs })));
  try {
    await withTemporaryFolder(async (home) => {
      const names = servers.map((_, at) => `connector${at}`);
      const entries = servers.map(({ url }, at) => ({ name: names[at], transport: "http", endpoint: url }));
      const folder = path.join(home, "mcp");
      await mkdir(folder);
      await writeFile(path.join(folder, "servers.json"), JSON.stringify({ servers: entries }));
      for (let round = 0; round < rounds; round++) {
        await rm(path.join(folder, "state"), { recursive: true, force: true });
        coldMs.push(await startOnce(home, names));
        nodeMs.push(await nodeOnce());
        // What the cold start stored when it ended is what this one begins with.
        warmMs.push(await startOnce(home, names));
        onRound(round + 1, rounds);
      }
    });
  } finally {
    await Promise.all(servers.map(async (server) => server.close()));
  }
  const common = {
    benchmark: "warm start",
    measure: `${connectors} connectors of ${listDelayMs} ms, from spawning to the complete list`,
    unit: "ms",
  } as const;
  const warm = "with the stored catalog";
  return [
    { ...common, is: { baseline: "with nothing stored", optimised: warm }, rounds: pairUp(coldMs, warmMs) },
    { ...common, is: { baseline: "node -e 0", optimised: warm }, rounds: pairUp(nodeMs, warmMs) },
  ];
}

async function startOnce(home: string, names: readonly string[]): Promise<number> {
  return withServers(async ({ start }) => {
    const beforeMs = performance.now();
    const { url } = await start([appPath, "serve", "--port", "0"], {
      CORTEX_HOME: home,
      CORTEX_MCP_LOG_LEVEL: "error",
    });
    const tools = await listTools(url);
    const tookMs = performance.now() - beforeMs;
    const missing = names.filter((name) => !tools.some((tool) => tool.startsWith(`${name}__`)));
    if (missing.length > 0) throw new Error(`the list lacks ${missing.join(", ")}`);
    return tookMs;
  });
}

async function nodeOnce(): Promise<number> {
  const beforeMs = performance.now();
  await once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit");
  return performance.now() - beforeMs;
}
