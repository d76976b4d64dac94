import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { checkClient, type ClientView } from "./check-client.js";
import { startGateway, type GatewayProcess } from "./gateway-process.js";
import { newProcessMark } from "./marked-processes.js";
import type { PublishedServer } from "./published-server.js";
import { connectLegacyClient, connectModernClient, type RealClient } from "./real-clients.js";
import type { ServerRow } from "./report.js";
import { serverFolder, writeRegistry } from "./write-registry.js";

/** What a run came to. */
export interface Checked {
  readonly rows: readonly ServerRow[];
  /** How many processes there were while the gateway ran: itself, lifelines, servers. */
  readonly processes: number;
  /** The commands of those that were still there after it had stopped. They have been killed. */
  readonly left: readonly string[];
  readonly exitCode: number | null;
}

/**
 * Puts all servers behind one gateway, lists and calls with a client of each era, and stops the gateway.
 * @param cache where the servers are installed
 */
export async function checkServers(servers: readonly PublishedServer[], cache: string): Promise<Checked> {
  const home = await mkdtemp(path.join(tmpdir(), "cortex-published-"));
  const mark = newProcessMark();
  try {
    await writeRegistry(home, cache, servers, mark.env);
    const gateway = await startGateway(home, mark.env);
    const rows = await checkedRows(gateway, servers, home).catch(async (error: unknown) => {
      await gateway.stop();
      throw error;
    });
    const processes = mark.living().length;
    const exitCode = await gateway.stop();
    return { rows, processes, left: mark.living().map(({ command }) => command), exitCode };
  } finally {
    for (const { pid } of mark.living()) process.kill(pid, "SIGKILL");
    await rm(home, { recursive: true, force: true });
  }
}

async function checkedRows(
  gateway: GatewayProcess,
  servers: readonly PublishedServer[],
  home: string,
): Promise<readonly ServerRow[]> {
  const statuses = new Map((await gateway.settled()).map((status) => [status.key, status]));
  const url = gateway.url;
  const legacy = await viewsOf(await connectLegacyClient(url), "2025-11-25", servers, home);
  const modern = await viewsOf(await connectModernClient(url), "2026-07-28", servers, home);
  return servers.flatMap((server, at) => {
    const status = statuses.get(server.name);
    const upstream = status?.era ?? `down: ${status?.reason ?? "the gateway does not know it"}`;
    const views = { legacy: legacy[at], modern: modern[at] };
    if (views.legacy === undefined || views.modern === undefined) return [];
    return [{ server, upstream, legacy: views.legacy, modern: views.modern }];
  });
}

async function viewsOf(
  client: RealClient,
  revision: string,
  servers: readonly PublishedServer[],
  home: string,
): Promise<readonly ClientView[]> {
  try {
    if (client.revision !== revision) throw new Error(`expected a client of ${revision}, got ${client.revision}`);
    return await checkClient(client, servers, (server) => serverFolder(home, server));
  } finally {
    await client.close();
  }
}
