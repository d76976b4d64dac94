import { writeFile } from "node:fs/promises";
import path from "node:path";
import { makeGatewayHome } from "./gateway-home.js";
import { listAnswer, listCall, listTools } from "./list-tools.js";
import type { OnRound } from "./on-round.js";
import { appPath, fixturePath, staticListPath } from "./program-paths.js";
import { withServers } from "./server-process.js";
import type { Measurement } from "./summary.js";
import { LIST_ROAD } from "./way-names.js";
import { measureWays, type Way, type WaysOptions } from "./ways.js";

/** {@link WaysOptions}, and how much is listed. */
export interface ListRoadOptions extends WaysOptions {
  /** Tools that the one upstream has, a few built-in ones aside. */
  readonly tools: number;
}

/**
 * The first page of `tools/list` from the gateway, with everything on that is on by default, and the very same bytes from a server that does nothing else: what is
 * between the two is what a list costs beside HTTP.
 */
export async function measureListRoad(
  { tools, ...options }: ListRoadOptions,
  onRound: OnRound,
): Promise<Measurement[]> {
  return withServers(async ({ folder, start }) => {
    const upstream = await start([fixturePath, "--port", "0", "--tools", String(tools)]);
    await makeGatewayHome(folder, [{ name: "fixture", transport: "http", endpoint: upstream.url }]);
    const gateway = await start([appPath, "serve", "--port", "0"], { CORTEX_HOME: folder });
    const { length } = await listTools(gateway.url);
    if (length < tools) throw new Error(`the gateway lists ${length} tools, and not ${tools}`);
    const target = listCall(gateway.url);
    const bytes = await listAnswer(target);
    const file = path.join(folder, "list.json");
    await writeFile(file, bytes);
    const yardstick = await start([staticListPath, file]);
    const ways: Way[] = [
      { name: LIST_ROAD.file, target: listCall(yardstick.url), pid: yardstick.pid },
      { name: LIST_ROAD.gateway, target, pid: gateway.pid },
    ];
    return measureWays(ways, options, onRound);
  });
}
