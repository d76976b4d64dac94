import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { fillIn } from "./fill-in.js";
import { writeFixtureFiles } from "./fixture-files.js";
import { packageFolder } from "./install-servers.js";
import type { PublishedServer } from "./published-server.js";

/** The folder of `home` that a server works in and has to itself. */
export const serverFolder = (home: string, { name }: PublishedServer): string => path.join(home, "servers", name);

/**
 * Writes the registry of a gateway whose `CORTEX_HOME` is `home`, and each server's folder.
 * @param env what every server gets beside its own
 */
export async function writeRegistry(
  home: string,
  cache: string,
  servers: readonly PublishedServer[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  for (const server of servers) await writeFixtureFiles(serverFolder(home, server));
  const entries = servers.map((server) =>
    registryEntry(server, packageFolder(cache, server), serverFolder(home, server), env),
  );
  await mkdir(path.join(home, "mcp"), { recursive: true });
  await writeFile(path.join(home, "mcp", "servers.json"), JSON.stringify({ servers: entries }));
}

/**
 * What the registry says of a server: Node runs its entry, at home in its own `folder`, so that none reads or writes
 * anything of the person who runs this.
 */
export function registryEntry(
  server: PublishedServer,
  installed: string,
  folder: string,
  env: Readonly<Record<string, string>>,
): ServerInfo {
  return {
    name: server.name,
    transport: "stdio",
    command: process.execPath,
    args: [path.join(installed, "node_modules", server.package, server.entry), ...fillIn(server.args ?? [], folder)],
    env: { HOME: folder, TMPDIR: folder, ...env, ...fillIn(server.env ?? {}, folder) },
    cwd: folder,
  };
}
