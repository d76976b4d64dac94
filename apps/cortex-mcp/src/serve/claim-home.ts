import { chmod, rm } from "node:fs/promises";
import path from "node:path";
import { acquireLock } from "@cortex-os/mcp-registry";
import { ensureFolder, ensurePrivateFolder } from "../state/private-folder.js";
import { findRunningGateway, type RunningGateway } from "../state/running-gateway.js";
import type { StatePaths } from "../state/state-paths.js";
import { userError } from "../user-error.js";

/**
 * Makes this process the gateway of its home: checks that there is none, clears away the socket of one that died, and
 * runs `bind`, which must listen on `paths.socket`. A lock keeps two that start at once from clearing away each other's socket.
 *
 * @throws GatewayError USER_INPUT naming pid and URL when a gateway of this home is running; whatever `bind` throws
 */
export async function claimHome<T>(paths: StatePaths, bind: () => Promise<T>): Promise<T> {
  await ensureFolder(paths.folder);
  if (paths.runtimeFolder !== undefined) await ensurePrivateFolder(paths.runtimeFolder);
  const lock = await acquireLock(path.join(paths.folder, "gateway.lock"));
  try {
    const running = await findRunningGateway(paths);
    if (running !== undefined) throw alreadyRunning(paths, running);
    await rm(paths.socket, { force: true });
    const bound = await bind();
    await chmod(paths.socket, 0o600);
    return bound;
  } finally {
    await lock.release();
  }
}

function alreadyRunning(paths: StatePaths, { record }: RunningGateway): Error {
  if (record === undefined) return userError(`a gateway is starting already for ${paths.folder}; wait for it`);
  const { pid, url } = record;
  const problem = `a gateway is running already for ${paths.folder}: pid ${pid} at ${url}`;
  return userError(`${problem}; stop it with kill ${pid}, or set CORTEX_HOME to another folder`);
}
