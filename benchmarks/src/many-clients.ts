import { setTimeout } from "node:timers/promises";
import { quietCpu, tellOfChange } from "./many-connectors.js";
import { connectorName, startGateway, until } from "./many-gateway.js";
import { nowMs, startClients, type ClientKind } from "./many-heard.js";
import { heldDuring, type Held } from "./many-probe.js";
import { cpuSecondsOf } from "./process-cpu.js";
import { residentBytesOf } from "./process-memory.js";
import { manyUpstreamPath } from "./program-paths.js";
import { withServers } from "./server-process.js";

/** How many clients of which kind. */
export interface ManyClientsOptions {
  readonly kind: ClientKind;
  readonly clients: number;
  /** How long the quiet is looked at: longer than the gap between two signs of life, 15 s, to see what those cost. */
  readonly lookMs: number;
}

/** What that many clients cost. Times in milliseconds, memory in bytes. */
export interface ManyClientsFound extends ManyClientsOptions {
  readonly bytesPerClient: number;
  readonly openCpuMsPerClient: number;
  /** Open files and sockets of the gateway beside those it had before. */
  readonly descriptors: number;
  readonly quietCpuMsPerMinute: number;
  /** How long others waited while nothing happened: how noisy the machine was. */
  readonly heldInQuiet: Held;
  /** One change of one tool, told to all of them; absent where nobody listens. */
  readonly broadcast?: Broadcast;
}

/** How one change was told to all of them. */
export interface Broadcast {
  /** From the upstream's word to the first client's notice. */
  readonly firstMs: number;
  /** And to the last one's. */
  readonly lastMs: number;
  /** Most notices that reached the clients within 10 ms. */
  readonly mostIn10Ms: number;
  /** How long others waited meanwhile, when it was done a second time. */
  readonly held: Held;
  readonly cpuMs: number;
}

const TOOLS = 10;
const SETTLE_MS = 1_000;
/** Telling ten thousand takes as long. */
const LONGEST_QUIET_MS = 5_000;

/** Opens that many clients of a real gateway, from another process, and looks at what they cost. */
export async function measureManyClients(options: ManyClientsOptions): Promise<ManyClientsFound> {
  const { kind, clients, lookMs } = options;
  return withServers(async (servers) => {
    const upstream = await servers.start([manyUpstreamPath, String(TOOLS)]);
    const gateway = await startGateway(servers, [`${upstream.url}${connectorName(0)}`]);
    await until(async () => (await gateway.metric("brainwav_mcp_catalog_tools")) === TOOLS);
    const descriptorsBefore = await gateway.metric("process_open_fds");
    await setTimeout(SETTLE_MS);
    const bytesBefore = residentBytesOf(gateway.pid);
    const cpuBefore = cpuSecondsOf(gateway.pid);
    const opened = await startClients(servers, gateway.url, clients, kind);
    const openCpuMsPerClient = ((cpuSecondsOf(gateway.pid) - cpuBefore) * 1_000) / clients;
    await setTimeout(SETTLE_MS);
    const bytesPerClient = (residentBytesOf(gateway.pid) - bytesBefore) / clients;
    const descriptors = (await gateway.metric("process_open_fds")) - descriptorsBefore;
    const quietCpuMsPerMinute = await quietCpu(gateway, lookMs);
    const heldInQuiet = await heldDuring(gateway.url, () => setTimeout(Math.min(lookMs, LONGEST_QUIET_MS)));
    const cost = { bytesPerClient, openCpuMsPerClient, descriptors, quietCpuMsPerMinute, heldInQuiet };
    if (kind === "silent-sessions") return { ...options, ...cost };
    const changeOnce = async (): Promise<Omit<Broadcast, "held">> => {
      await opened.forget();
      const cpuAtChange = cpuSecondsOf(gateway.pid);
      const changedMs = nowMs();
      await tellOfChange(upstream.url, 0);
      await until(async () => (await opened.heard()).told === clients);
      const { firstMs, lastMs, most, notices } = await opened.heard();
      if (notices !== clients) throw new Error(`${clients} clients were told ${notices} times of one change`);
      const cpuMs = (cpuSecondsOf(gateway.pid) - cpuAtChange) * 1_000;
      return { firstMs: firstMs - changedMs, lastMs: lastMs - changedMs, mostIn10Ms: most, cpuMs };
    };
    const once = await changeOnce();
    const held = await heldDuring(gateway.url, changeOnce);
    return { ...options, ...cost, broadcast: { ...once, held } };
  });
}
