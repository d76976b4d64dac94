import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { load, type Target } from "./load.js";
import { cpuSecondsOf } from "./process-cpu.js";
import { startServer, type ServerProcess } from "./server-process.js";
import { median, percentile } from "./statistics.js";
import type { Measurement, Round, WayName } from "./summary.js";

/** How long and how often to measure. */
export interface RoadOptions {
  readonly concurrencies: readonly number[];
  readonly rounds: number;
  readonly roundMs: number;
  /** For each way, before anything counts: code that was not yet compiled would be measured otherwise. @default 2_000 */
  readonly warmUpMs?: number;
}

interface Way {
  readonly name: WayName;
  readonly target: Target;
  readonly pid?: number;
}

const WARM_UP_AT_ONCE = 16;
const WARM_UP_MS = 2_000;

const fixture = fileURLToPath(new URL("http-main.js", import.meta.resolve("@cortex-os/fixture-server")));
const app = fileURLToPath(import.meta.resolve("cortex-mcp/dist/main.js"));
const bareProxy = fileURLToPath(new URL("../dist/bare-proxy-main.js", import.meta.url));

/**
 * The main road: a small modern tool call over HTTP, straight to the fixture, through a proxy that does nothing, and through the gateway with everything
 * on that is on by default. The ways take turns within each round, so that noise hits them alike.
 */
export async function measureRoad(
  options: RoadOptions,
  onRound: (done: number, all: number) => void,
): Promise<Measurement[]> {
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
  { concurrencies, rounds, roundMs, warmUpMs = WARM_UP_MS }: RoadOptions,
  onRound: (done: number, all: number) => void,
): Promise<Measurement[]> {
  const measured = concurrencies.flatMap((concurrency) =>
    ways.map((way) => ({ way, concurrency, rounds: new Array<Round>() })),
  );
  for (const { target } of ways) await load(target, WARM_UP_AT_ONCE, warmUpMs);
  for (let round = 0; round < rounds; round++) {
    // The ways take turns at being first, so that what drifts within a round hits each of them.
    const order = round % 2 === 0 ? measured : measured.toReversed();
    for (const cell of order) cell.rounds.push(await measureOnce(cell.way, cell.concurrency, roundMs));
    onRound(round + 1, rounds);
  }
  return measured.map(({ way, ...rest }) => ({ way: way.name, ...rest }));
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
