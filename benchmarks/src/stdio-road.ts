import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { echoCall } from "./echo-call.js";
import type { OnRound } from "./on-round.js";
import { appPath, bareStdioProxyPath, stdioEchoPath } from "./program-paths.js";
import { withServers } from "./server-process.js";
import type { Measurement } from "./summary.js";
import { ROAD } from "./way-names.js";
import { measureWays, type Way, type WaysOptions } from "./ways.js";

/**
 * The road to an upstream over stdio: a small modern tool call over HTTP, through a bare HTTP-to-stdio proxy, and through the gateway with everything on that is on by
 * default. Both have a child of their own, of the same program.
 */
export async function measureStdioRoad(options: WaysOptions, onRound: OnRound): Promise<Measurement[]> {
  return withServers(async ({ folder, start }) => {
    const proxy = await start([bareStdioProxyPath, stdioEchoPath]);
    await writeRegistry(folder);
    const gateway = await start([appPath, "serve", "--port", "0"], { CORTEX_HOME: folder });
    const ways: Way[] = [
      { name: ROAD.bareProxy, target: echoCall(proxy.url, "echo"), pid: proxy.pid },
      { name: ROAD.gateway, target: echoCall(gateway.url, "fixture__echo"), pid: gateway.pid },
    ];
    return measureWays(ways, options, onRound);
  });
}

async function writeRegistry(home: string): Promise<void> {
  await mkdir(join(home, "mcp"), { recursive: true });
  const servers = [{ name: "fixture", transport: "stdio", command: process.execPath, args: [stdioEchoPath] }];
  await writeFile(join(home, "mcp", "servers.json"), JSON.stringify({ servers }));
}
