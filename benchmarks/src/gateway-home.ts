import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { JsonObject } from "@cortex-os/mcp-core/wire";

/** Makes a folder the home of a gateway with these servers, as its users' registry has them. */
export async function makeGatewayHome(home: string, servers: readonly JsonObject[]): Promise<void> {
  const folder = path.join(home, "mcp");
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, "servers.json"), JSON.stringify({ servers }));
}
