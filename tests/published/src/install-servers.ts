import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import type { PublishedServer } from "./published-server.js";

const run = promisify(execFile);

/** More would only wait for each other on two cores. */
const AT_A_TIME = 2;

/** Where a server's package is installed: a folder for each version, so that no two share a dependency. */
export function packageFolder(cache: string, server: PublishedServer): string {
  return path.join(cache, `${server.package.replaceAll("/", "+")}@${server.version}`);
}

/**
 * Installs each server that is not yet there, without its install scripts. Needs the npm registry only for those.
 * @param onInstalled called after each that had to be installed
 * @throws what npm says, for the first that cannot be installed
 */
export async function installServers(
  servers: readonly PublishedServer[],
  cache: string,
  onInstalled: (server: PublishedServer) => void,
): Promise<void> {
  const queue = servers.values();
  const work = async (): Promise<void> => {
    for (const server of queue) {
      const folder = packageFolder(cache, server);
      if ((await installedVersion(folder, server.package)) === server.version) continue;
      await install(folder, server);
      onInstalled(server);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
}

/** The version that a finished `npm install` left in `folder`: npm writes this file last. */
async function installedVersion(folder: string, name: string): Promise<string | undefined> {
  const text = await readFile(path.join(folder, "node_modules", ".package-lock.json"), "utf8").catch(() => "{}");
  const { packages = {} } = JSON.parse(text) as { packages?: Readonly<Record<string, { version?: string }>> };
  return packages[`node_modules/${name}`]?.version;
}

async function install(folder: string, server: PublishedServer): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, "package.json"), '{ "private": true }\n');
  const flags = ["--ignore-scripts", "--save-exact", "--no-audit", "--no-fund", "--loglevel=error"];
  await run("npm", ["install", ...flags, `${server.package}@${server.version}`], { cwd: folder });
}
