import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import path from "node:path";
import { pairUp, type Comparison } from "./comparison.js";
import { makeGatewayHome } from "./gateway-home.js";
import { listTools } from "./list-tools.js";
import type { OnRound } from "./on-round.js";
import { appPath } from "./program-paths.js";
import { withServers } from "./server-process.js";
import { withSlowConnectors, type SlowConnectors } from "./slow-connectors.js";
import { withTemporaryFolder } from "./temporary-folder.js";

/** How many connectors of which slowness, and how often. */
export interface WarmStartOptions {
  readonly connectors: number;
  /** How long each connector takes to list, in milliseconds. */
  readonly listDelayMs: number;
  /** How many tools each connector has beside the fixture's own: one measurement for each number. */
  readonly extraTools: readonly number[];
  readonly rounds: number;
}

/** The starts of one round, in milliseconds from spawning to the complete list; of Node itself to its end. */
export interface WarmStartRound {
  readonly coldMs: number;
  readonly nodeMs: number;
  readonly warmMs: number;
}

/** The starts with lists of one length. */
export interface WarmStartCell {
  /** How many tools the list has. */
  readonly tools: number;
  readonly rounds: readonly WarmStartRound[];
}

/** What the suite found. */
export interface WarmStart {
  readonly cells: readonly WarmStartCell[];
  readonly comparisons: readonly Comparison[];
}

/**
 * From spawning `cortex-mcp serve` to a complete `tools/list`: with nothing stored and with the catalog of the run before, beside Node's own start (`node -e 0`), all
 * in the same rounds. The connectors are real servers on loopback, in this process.
 *
 * @throws Error when a list is not complete
 */
export async function measureWarmStart(options: WarmStartOptions, onRound: OnRound): Promise<WarmStart> {
  const { connectors, listDelayMs, extraTools, rounds } = options;
  const cells: WarmStartCell[] = [];
  for (const [at, extra] of extraTools.entries()) {
    const size = { transport: "HTTP", connectors, listDelayMs, extraTools: extra } as const;
    const onRoundDone = (done: number): void => {
      onRound(at * rounds + done, extraTools.length * rounds);
    };
    cells.push(await withSlowConnectors(size, async (slow) => measureCell(slow, rounds, onRoundDone)));
  }
  return { cells, comparisons: cells.flatMap((cell) => comparisonsOf(cell, options)) };
}

async function measureCell(
  { keys, entries }: SlowConnectors,
  rounds: number,
  onRoundDone: (done: number) => void,
): Promise<WarmStartCell> {
  const times: WarmStartRound[] = [];
  let tools = 0;
  await withTemporaryFolder(async (home) => {
    await makeGatewayHome(home, entries);
    for (let round = 0; round < rounds; round++) {
      await rm(path.join(home, "mcp", "state"), { recursive: true, force: true });
      const cold = await startOnce(home, keys);
      const nodeMs = await nodeOnce();
      // What the cold start stored when it ended is what this one begins with.
      const warm = await startOnce(home, keys);
      if (warm.tools !== cold.tools)
        throw new Error(`${warm.tools} tools were stored, and ${cold.tools} had been listed`);
      tools = warm.tools;
      times.push({ coldMs: cold.ms, nodeMs, warmMs: warm.ms });
      onRoundDone(round + 1);
    }
  });
  return { tools, rounds: times };
}

function comparisonsOf(
  { tools, rounds }: WarmStartCell,
  { connectors, listDelayMs }: WarmStartOptions,
): readonly Comparison[] {
  const common = {
    benchmark: "warm start",
    measure: `${connectors} connectors of ${listDelayMs} ms, from spawning to the complete list of ${tools} tools`,
    unit: "ms",
  } as const;
  const warm = "with the stored catalog";
  const [coldMs, nodeMs, warmMs] = (["coldMs", "nodeMs", "warmMs"] as const).map((of) =>
    rounds.map((round) => round[of]),
  );
  return [
    { ...common, is: { baseline: "with nothing stored", optimised: warm }, rounds: pairUp(coldMs ?? [], warmMs ?? []) },
    { ...common, is: { baseline: "node -e 0", optimised: warm }, rounds: pairUp(nodeMs ?? [], warmMs ?? []) },
  ];
}

async function startOnce(
  home: string,
  keys: readonly string[],
): Promise<{ readonly tools: number; readonly ms: number }> {
  return withServers(async ({ start }) => {
    const beforeMs = performance.now();
    const { url } = await start([appPath, "serve", "--port", "0"], {
      CORTEX_HOME: home,
      CORTEX_MCP_LOG_LEVEL: "error",
    });
    const tools = await listTools(url);
    const ms = performance.now() - beforeMs;
    const missing = keys.filter((key) => !tools.some((tool) => tool.startsWith(`${key}__`)));
    if (missing.length > 0) throw new Error(`the list lacks ${missing.join(", ")}`);
    return { tools: tools.length, ms };
  });
}

async function nodeOnce(): Promise<number> {
  const beforeMs = performance.now();
  await once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit");
  return performance.now() - beforeMs;
}
