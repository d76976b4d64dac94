import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { echoCall } from "./echo-call.js";
import type { OnRound } from "./on-round.js";
import { appPath, bareProxyPath, fixturePath } from "./program-paths.js";
import { withServers } from "./server-process.js";
import type { Measurement } from "./summary.js";
import { ROAD } from "./way-names.js";
import { measureWays, type Way, type WaysOptions } from "./ways.js";

/**
 * The main road: a small modern tool call over HTTP, straight to the fixture, through a proxy that does nothing, and through the gateway with everything
 * on that is on by default.
 */
export async function measureRoad(options: WaysOptions, onRound: OnRound): Promise<Measurement[]> {
  return withServers(async ({ folder, start }) => {
    const upstream = await start([fixturePath, "--port", "0"]);
    const proxy = await start([bareProxyPath, upstream.url]);
    await writeRegistry(folder, upstream.url);
    const gateway = await start([appPath, "serve", "--port", "0"], { CORTEX_HOME: folder });
    const ways: Way[] = [
      { name: ROAD.direct, target: echoCall(upstream.url, "echo") },
      { name: ROAD.bareProxy, target: echoCall(proxy.url, "echo"), pid: proxy.pid },
      { name: ROAD.gateway, target: echoCall(gateway.url, "fixture__echo"), pid: gateway.pid },
    ];
    return measureWays(ways, options, onRound);
  });
}

async function writeRegistry(home: string, endpoint: string): Promise<void> {
  await mkdir(join(home, "mcp"), { recursive: true });
  const servers = [{ name: "fixture", transport: "http", endpoint }];
  await writeFile(join(home, "mcp", "servers.json"), JSON.stringify({ servers }));
}
