import { setTimeout } from "node:timers/promises";
import { request } from "undici";
import { echoCall } from "./echo-call.js";
import { listCall, listTools } from "./list-tools.js";
import { load } from "./load.js";
import type { Target } from "./target.js";
import { connectorName, startGateway, until, type ManyGateway } from "./many-gateway.js";
import { nowMs, startClients } from "./many-heard.js";
import { heldDuring } from "./many-probe.js";
import { cpuSecondsOf } from "./process-cpu.js";
import { residentBytesOf } from "./process-memory.js";
import { manyUpstreamPath } from "./program-paths.js";
import { withServers } from "./server-process.js";
import { median, percentile } from "./statistics.js";

/** How many connectors with how many tools each, and how long to look. */
export interface ManyConnectorsOptions {
  readonly connectors: number;
  readonly tools: number;
  readonly changes: number;
  /** How long each latency, and the quiet, is looked at. */
  readonly lookMs: number;
  /** How long to wait after the start, in milliseconds: then what was listed is written to disk, which is no part of the quiet. */
  readonly settleMs: number;
}

/** What that many connectors cost. Times in milliseconds, memory in bytes. */
export interface ManyConnectorsFound extends ManyConnectorsOptions {
  readonly catalogsAtStart: number;
  readonly untilListedMs: number;
  readonly startCpuMs: number;
  readonly residentBytes: number;
  readonly bareResidentBytes: number;
  readonly heapBytes: number;
  readonly bareHeapBytes: number;
  /** From an upstream's word that a tool changed to the notice that reaches a client. */
  readonly changeToNoticeMs: number;
  /** CPU time of the gateway from there to a second and a half after it, with what it uses in quiet. */
  readonly changeCpuMs: number;
  /** For how long, at the most, it answered nothing else meanwhile. */
  readonly changeHoldsMs: number;
  readonly page: Latency;
  readonly call: Latency;
  readonly metricsMs: number;
  /** CPU time of the gateway in a minute in which nothing happens. */
  readonly quietCpuMsPerMinute: number;
}

/** Of one request at a time. */
export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Long enough after a notice for all that comes of the change: the connector's list is stored, and the next change is not told later because of this one. */
const AFTER_NOTICE_MS = 1_500;

/** Starts a real gateway in front of that many real HTTP connectors, all in one other process, and looks at what it costs. */
export async function measureManyConnectors(options: ManyConnectorsOptions): Promise<ManyConnectorsFound> {
  const { connectors, tools, changes, lookMs, settleMs } = options;
  return withServers(async (servers) => {
    const bare = await startGateway(servers, []);
    const bareHeapBytes = await bare.metric("nodejs_heap_used_bytes");
    const bareResidentBytes = residentBytesOf(bare.pid);
    process.kill(bare.pid, "SIGTERM");
    const upstream = await servers.start([manyUpstreamPath, String(tools)]);
    const urls = Array.from({ length: connectors }, (_, at) => `${upstream.url}${connectorName(at)}`);
    const gateway = await startGateway(servers, urls);
    await until(async () => (await gateway.metric("brainwav_mcp_catalog_tools")) === connectors * tools);
    const untilListedMs = performance.now() - gateway.spawnedMs;
    const startCpuMs = cpuSecondsOf(gateway.pid) * 1_000;
    const catalogsAtStart = await gateway.metric("brainwav_mcp_catalog_changes_total");
    const names = await listTools(gateway.url);
    if (names.length !== connectors * tools) throw new Error(`the list has ${names.length} tools`);
    await setTimeout(settleMs);
    const quietCpuMsPerMinute = await quietCpu(gateway, lookMs);
    const changed = await measureChanges(servers, gateway, upstream.url, changes);
    const call = echoCall(gateway.url, `${connectorName(0)}__tool-0`);
    return {
      ...options,
      ...{ catalogsAtStart, untilListedMs, startCpuMs, bareResidentBytes, bareHeapBytes, quietCpuMsPerMinute },
      ...changed,
      residentBytes: residentBytesOf(gateway.pid),
      heapBytes: await gateway.metric("nodejs_heap_used_bytes"),
      call: await latencyOf(call, lookMs),
      page: await latencyOf(listCall(gateway.url), lookMs),
      metricsMs: await metricsLatency(gateway),
    };
  });
}

type Changed = Pick<ManyConnectorsFound, "changeToNoticeMs" | "changeCpuMs" | "changeHoldsMs">;

async function measureChanges(
  servers: Parameters<typeof startClients>[0],
  gateway: ManyGateway,
  upstream: string,
  changes: number,
): Promise<Changed> {
  const client = await startClients(servers, gateway.url, 1, "listeners");
  const noticed: number[] = [];
  const cpu: number[] = [];
  const held: number[] = [];
  for (let at = 0; at < changes; at++) {
    const changeOnce = async (): Promise<number> => {
      await client.forget();
      const before = nowMs();
      await tellOfChange(upstream, at);
      await until(async () => (await client.heard()).told === 1);
      await setTimeout(AFTER_NOTICE_MS);
      const { notices, firstMs } = await client.heard();
      if (notices !== 1) throw new Error(`one change was told ${notices} times`);
      return firstMs - before;
    };
    const cpuBefore = cpuSecondsOf(gateway.pid);
    noticed.push(await changeOnce());
    cpu.push((cpuSecondsOf(gateway.pid) - cpuBefore) * 1_000);
    // Once more, and this time somebody asks all the while, which costs CPU of its own.
    held.push((await heldDuring(gateway.url, changeOnce)).longestMs);
  }
  return { changeToNoticeMs: median(noticed), changeCpuMs: median(cpu), changeHoldsMs: median(held) };
}

/** The upstream of the connector at that place changes a tool and says so. */
export async function tellOfChange(upstream: string, at: number): Promise<void> {
  const { body } = await request(new URL(`/changed?/${connectorName(at)}`, upstream), { method: "POST" });
  await body.dump();
}

/** CPU time of a process in a minute in which nothing happens, in milliseconds, from a look at it of that length. */
export async function quietCpu({ pid }: { readonly pid: number }, lookMs: number): Promise<number> {
  const before = cpuSecondsOf(pid);
  const beganMs = performance.now();
  await setTimeout(lookMs);
  return ((cpuSecondsOf(pid) - before) * 1_000 * 60_000) / (performance.now() - beganMs);
}

async function latencyOf(target: Target, lookMs: number): Promise<Latency> {
  const { latenciesMs } = await load(target, 1, lookMs);
  return { p50Ms: median(latenciesMs), p99Ms: percentile(latenciesMs, 0.99) };
}

async function metricsLatency(gateway: ManyGateway): Promise<number> {
  const took: number[] = [];
  for (let at = 0; at < 5; at++) {
    const before = performance.now();
    await gateway.metric("brainwav_mcp_listeners");
    took.push(performance.now() - before);
  }
  return median(took);
}
