import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { load, type Target } from "./load.js";
import { cpuSecondsOf } from "./process-cpu.js";
import { startServer, type ServerProcess } from "./server-process.js";
import { median, percentile } from "./statistics.js";

/** One row of the table: one way to the same tool at one concurrency, over all rounds. */
export interface Cell {
  readonly way: "direct" | "bare proxy" | "cortex-mcp";
  readonly concurrency: number;
  /** Median over the rounds. */
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of the process in the middle, in microseconds a call; absent for `direct`, which has none. */
  readonly cpuMicrosPerCall?: number;
  /** Slowest round against fastest: how noisy the machine was. */
  readonly spread: number;
}

/** How long and how often to measure. */
export interface RoadOptions {
  readonly concurrencies: readonly number[];
  readonly rounds: number;
  readonly roundMs: number;
}

interface Way {
  readonly name: Cell["way"];
  readonly target: Target;
  readonly pid?: number;
}

interface Round {
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicros?: number;
}

const fixture = fileURLToPath(new URL("http-main.js", import.meta.resolve("@cortex-os/fixture-server")));
const app = fileURLToPath(import.meta.resolve("cortex-mcp/dist/main.js"));
const bareProxy = fileURLToPath(new URL("bare-proxy-main.js", import.meta.url));

/**
 * The main road: a small modern tool call over HTTP, straight to the fixture, through a proxy that does nothing, and through the gateway with everything
 * on that is on by default. The ways take turns within each round, so that noise hits them alike.
 */
export async function measureRoad(options: RoadOptions, onRound: (done: number, all: number) => void): Promise<Cell[]> {
  const home = await mkdtemp(join(tmpdir(), "cortex-bench-"));
  const servers: ServerProcess[] = [];
  try {
    const upstream = await startServer([fixture, "--port", "0"]);
    servers.push(upstream);
    const proxy = await startServer([bareProxy, upstream.url]);
    servers.push(proxy);
    await writeRegistry(home, upstream.url);
    const gateway = await startServer([app, "serve", "--port", "0"], { CORTEX_HOME: home });
    servers.push(gateway);
    const ways: Way[] = [
      { name: "direct", target: echo(upstream.url, "echo") },
      { name: "bare proxy", target: echo(proxy.url, "echo"), pid: proxy.pid },
      { name: "cortex-mcp", target: echo(gateway.url, "fixture__echo"), pid: gateway.pid },
    ];
    return await measureWays(ways, options, onRound);
  } finally {
    await Promise.all(servers.map(async (server) => server.stop()));
    await rm(home, { recursive: true, force: true });
  }
}

async function measureWays(
  ways: readonly Way[],
  { concurrencies, rounds, roundMs }: RoadOptions,
  onRound: (done: number, all: number) => void,
): Promise<Cell[]> {
  const measured = new Map<string, { way: Way; concurrency: number; rounds: Round[] }>();
  for (const way of ways) await load(way.target, 16, roundMs);
  for (let round = 0; round < rounds; round++) {
    for (const concurrency of concurrencies) {
      for (const way of ways) {
        const key = `${way.name} ${concurrency}`;
        const row = measured.get(key) ?? { way, concurrency, rounds: [] };
        row.rounds.push(await measureOnce(way, concurrency, roundMs));
        measured.set(key, row);
      }
    }
    onRound(round + 1, rounds);
  }
  return [...measured.values()].map(({ way, concurrency, rounds: all }) => cellOf(way.name, concurrency, all));
}

async function measureOnce({ target, pid }: Way, concurrency: number, roundMs: number): Promise<Round> {
  const cpuBefore = pid === undefined ? 0 : cpuSecondsOf(pid);
  const { calls, seconds, latenciesMs } = await load(target, concurrency, roundMs);
  return {
    callsPerSecond: calls / seconds,
    p50Ms: median(latenciesMs),
    p99Ms: percentile(latenciesMs, 0.99),
    ...(pid === undefined ? {} : { cpuMicros: ((cpuSecondsOf(pid) - cpuBefore) * 1e6) / calls }),
  };
}

function cellOf(way: Cell["way"], concurrency: number, rounds: readonly Round[]): Cell {
  const speeds = rounds.map(({ callsPerSecond }) => callsPerSecond);
  const cpu = rounds.flatMap(({ cpuMicros }) => (cpuMicros === undefined ? [] : [cpuMicros]));
  return {
    way,
    concurrency,
    callsPerSecond: median(speeds),
    p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(rounds.map(({ p99Ms }) => p99Ms)),
    ...(cpu.length === 0 ? {} : { cpuMicrosPerCall: median(cpu) }),
    spread: Math.max(...speeds) / Math.min(...speeds),
  };
}

async function writeRegistry(home: string, endpoint: string): Promise<void> {
  await mkdir(join(home, "mcp"), { recursive: true });
  const servers = [{ name: "fixture", transport: "http", endpoint }];
  await writeFile(join(home, "mcp", "servers.json"), JSON.stringify({ servers }));
}

function echo(url: string, name: string): Target {
  return {
    url,
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": name,
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: {
        name,
        arguments: { message: "hello" },
        _meta: {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientInfo": { name: "benchmark", version: "1.0.0" },
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    }),
  };
}
